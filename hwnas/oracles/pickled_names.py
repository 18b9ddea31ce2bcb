"""What the names in a pickle of plain data stand for: Python's containers, numpy's numbers, torch's tensors.

Numbers of numpy become Python's, arrays an `Array` that checks itself when it is asked for its values, and
tensors nothing but a sign that one was there: no benchmark keeps its results in tensors.
"""

from __future__ import annotations

import re
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hwnas.oracles.message import shortened
from hwnas.oracles.pickle_machine import Buildable, Name, Names, check_keys

_NUMBERS = re.compile(r"[<>=|]?(b1|[iu][1248]|f[248])")
_STORAGES = ("Float", "Double", "Half", "BFloat16", "Long", "Int", "Short", "Char", "Byte", "Bool")


class Ordered(dict[Any, Any], Buildable):
    """An `OrderedDict`; what a state dictionary of torch says beside its items is left out."""

    __slots__ = ()

    def build(self, state: Any) -> None:
        """Leave the state out."""


class Inert(Buildable):
    """Where a tensor or a part of one was."""

    __slots__ = ()

    def build(self, state: Any) -> None:
        """Leave the state out."""


class Dtype(Buildable):
    """The type of numpy numbers, such as `f8`, and their byte order."""

    __slots__ = ("code", "order")
    order: Literal["<", ">", "=", "|"]

    def __init__(self, code: str, align: bool = False, copy: bool = False) -> None:
        self.code, self.order = code, "="

    def build(self, state: Any) -> None:
        """Take the byte order."""
        if not (isinstance(state, tuple) and len(state) > 1 and state[1] in ("<", ">", "=", "|")):
            raise ValueError("a numpy type has a state that does not fit")
        self.order = state[1]

    def numpy(self) -> np.dtype[Any]:
        """The real type; raises ValueError where it is none of plain numbers."""
        if not isinstance(self.code, str) or not _NUMBERS.fullmatch(self.code):
            raise ValueError(
                f"values of numpy type {shortened(self.code)} are not read, plain numbers alone are"
            )
        return np.dtype(self.code).newbyteorder(self.order)


class Array(Buildable):
    """A numpy array of one dimension."""

    __slots__ = ("data", "dtype", "shape")

    def __init__(self, data: Any = b"", dtype: Any = None, shape: Any = (0,)) -> None:
        self.data, self.dtype, self.shape = data, dtype, shape

    def build(self, state: Any) -> None:
        """Take (version, shape, type, Fortran order, bytes)."""
        if not isinstance(state, tuple) or len(state) != 5:
            raise ValueError("a numpy array has a state that does not fit")
        _, self.shape, self.dtype, _, self.data = state

    def values(self) -> NDArray[Any]:
        """The numbers [N]; raises ValueError where shape, type and bytes do not fit together."""
        if not isinstance(self.dtype, Dtype) or not isinstance(self.data, bytes):
            raise ValueError("a numpy array is damaged or holds no plain numbers")
        kind = self.dtype.numpy()
        if self.shape != (len(self.data) // kind.itemsize,) or len(self.data) % kind.itemsize:
            raise ValueError(
                f"a numpy array of shape {shortened(self.shape)} does not fit its {len(self.data)} bytes"
            )
        return np.frombuffer(self.data, dtype=kind)


def _scalar(dtype: Dtype, data: bytes) -> Any:
    (value,) = np.frombuffer(data, dtype=dtype.numpy())
    return value.item()


def _encode(text: str, encoding: str) -> bytes:
    if encoding != "latin1":
        raise ValueError(f"encoding {encoding!r}")
    return text.encode("latin-1")


def _no_bytes() -> bytes:
    return b""


def _set(items: list[Any]) -> set[Any]:
    if not isinstance(items, list):
        raise ValueError("a set is made of a list")
    check_keys(items)
    return set(items)


def _frozen_set(items: list[Any]) -> frozenset[Any]:
    return frozenset(_set(items))


def _reconstructed(kind: Any, shape: Any, code: Any) -> Array:
    return Array()


def _from_buffer(data: Any, dtype: Any, shape: Any, order: Any) -> Array:
    return Array(data, dtype, shape)


def _inert(*arguments: Any) -> Inert:
    return Inert()


def _ordered(factory: Any = None) -> Ordered:
    return Ordered()


def _names() -> Names:
    made: dict[tuple[str, str], Any] = {
        ("collections", "OrderedDict"): _ordered,
        ("collections", "defaultdict"): _ordered,
        ("_codecs", "encode"): _encode,
        ("numpy", "dtype"): Dtype,
        ("numpy", "ndarray"): _inert,
        ("torch._utils", "_rebuild_tensor"): _inert,
        ("torch._utils", "_rebuild_tensor_v2"): _inert,
        ("torch._utils", "_rebuild_parameter"): _inert,
    }
    for module in ("builtins", "__builtin__"):
        made |= {(module, "set"): _set, (module, "list"): _inert, (module, "dict"): _inert}
        made |= {(module, "frozenset"): _frozen_set, (module, "bytes"): _no_bytes}
    for package in ("numpy.core", "numpy._core"):
        made[f"{package}.multiarray", "scalar"] = _scalar
        made[f"{package}.multiarray", "_reconstruct"] = _reconstructed
        made[f"{package}.numeric", "_frombuffer"] = _from_buffer
    made |= {("torch", f"{kind}Storage"): _inert for kind in _STORAGES}
    return {key: Name(".".join(key), make) for key, make in made.items()}


NAMES = _names()
