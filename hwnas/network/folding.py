"""Carry out the small computations on shapes that exporters leave in a model.

One short function per operator, on NumPy arrays; the size of every result is known before it is made.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from onnx import helper

MAX_FOLDED = 65_536

Array: TypeAlias = npt.NDArray[Any]
Attributes: TypeAlias = Mapping[str, Any]
Fold: TypeAlias = Callable[[Attributes, Sequence[Array]], Array]


def fold(op: str, attributes: Attributes, inputs: Sequence[Array]) -> Array:
    """The result of a foldable operator on known values.

    Raises:
        ValueError: the inputs do not fit, or the result has more than `MAX_FOLDED` elements.
    """
    try:
        with np.errstate(all="raise"):
            result = np.asarray(FOLDS[op](attributes, inputs))
    except (ValueError, LookupError, TypeError, ArithmeticError) as error:
        raise ValueError(f"{op} of constants: {error}") from error
    _require_small(result.size)
    return result


def target_shape(source: Sequence[int], target: Sequence[int]) -> tuple[int, ...]:
    """ONNX's target of a Reshape with 0 (as in the source) and -1 (what is left) replaced."""
    sizes = [source[i] if size == 0 else int(size) for i, size in enumerate(target)]
    if -1 in sizes:
        known = -math.prod(sizes)
        if known <= 0 or math.prod(source) % known:
            raise ValueError(f"{list(source)} does not reshape to {list(target)}")
        sizes[sizes.index(-1)] = math.prod(source) // known
    if min(sizes, default=1) < 0 or math.prod(sizes) != math.prod(source):
        raise ValueError(f"{list(source)} does not reshape to {list(target)}")
    return tuple(sizes)


def _require_small(size: float) -> None:
    if not size <= MAX_FOLDED:
        raise ValueError(f"the result has more than {MAX_FOLDED} elements")


def _elementwise(function: Callable[..., Any]) -> Fold:
    def apply(a: Attributes, inputs: Sequence[Array]) -> Array:
        _require_small(math.prod(np.broadcast_shapes(*(array.shape for array in inputs))))
        return np.asarray(function(*inputs))

    return apply


def _divide(x: Array, y: Array) -> Array:
    if not np.issubdtype(x.dtype, np.integer):
        return np.asarray(x / y)
    quotient = np.abs(x) // np.abs(y)  # ONNX rounds towards 0
    return np.asarray(np.where((x < 0) == (y < 0), quotient, -quotient), dtype=x.dtype)


def _cast(a: Attributes, inputs: Sequence[Array]) -> Array:
    return inputs[0].astype(helper.tensor_dtype_to_np_dtype(a["to"]))


def _concat(a: Attributes, inputs: Sequence[Array]) -> Array:
    _require_small(sum(array.size for array in inputs))
    return np.concatenate(inputs, axis=a["axis"])


def _gather(a: Attributes, inputs: Sequence[Array]) -> Array:
    data, indices = inputs
    axis = a.get("axis", 0)
    _require_small(indices.size * data.size / max(1, data.shape[axis]))
    return np.take(data, indices.astype(np.int64), axis=axis)


def _axes(a: Attributes, inputs: Sequence[Array]) -> tuple[int, ...] | None:
    """Axes as an attribute (until opset 12 or 17) or as the second input, or None."""
    if len(inputs) > 1:
        return tuple(int(axis) for axis in inputs[1].ravel())
    return a.get("axes")


def _squeeze(a: Attributes, inputs: Sequence[Array]) -> Array:
    return np.squeeze(inputs[0], _axes(a, inputs))


def _unsqueeze(a: Attributes, inputs: Sequence[Array]) -> Array:
    return np.expand_dims(inputs[0], _axes(a, inputs) or ())


def _slice(a: Attributes, inputs: Sequence[Array]) -> Array:
    if len(inputs) < 3:
        raise ValueError("starts and ends are missing")
    data, starts, ends, *rest = inputs
    axes = rest[0].ravel() if rest else range(starts.size)
    steps = rest[1].ravel() if len(rest) > 1 else [1] * starts.size
    index = [slice(None)] * data.ndim
    for axis, start, end, step in zip(axes, starts.ravel(), ends.ravel(), steps, strict=True):
        index[int(axis)] = slice(int(start), int(end), int(step))
    return data[tuple(index)]


def _reshape(a: Attributes, inputs: Sequence[Array]) -> Array:
    return inputs[0].reshape(target_shape(inputs[0].shape, inputs[1].ravel().tolist()))


def _transpose(a: Attributes, inputs: Sequence[Array]) -> Array:
    return np.transpose(inputs[0], a.get("perm"))


def _reduce(function: Callable[..., Any]) -> Fold:
    def apply(a: Attributes, inputs: Sequence[Array]) -> Array:
        return np.asarray(function(inputs[0], axis=_axes(a, inputs), keepdims=bool(a.get("keepdims", 1))))

    return apply


def _range(a: Attributes, inputs: Sequence[Array]) -> Array:
    start, limit, delta = (array.item() for array in inputs)
    if delta == 0:
        raise ValueError("a range of step 0")
    _require_small((limit - start) / delta)
    return np.arange(start, limit, delta, dtype=inputs[0].dtype)


def _sizes(array: Array) -> tuple[int, ...]:
    sizes = tuple(int(size) for size in array.ravel())
    if len(sizes) > 32 or min(sizes, default=0) < 0:
        raise ValueError(f"no shape: {list(sizes)[:8]}")
    _require_small(math.prod(sizes))
    return sizes


def _expand(a: Attributes, inputs: Sequence[Array]) -> Array:
    shape = np.broadcast_shapes(inputs[0].shape, _sizes(inputs[1]))
    _require_small(math.prod(shape))
    return np.broadcast_to(inputs[0], shape).copy()


def _constant_of_shape(a: Attributes, inputs: Sequence[Array]) -> Array:
    fill = np.asarray(a.get("value", np.float32(0))).ravel()
    return np.full(_sizes(inputs[0]), fill[0], dtype=fill.dtype)


FOLDS: dict[str, Fold] = {
    "Add": _elementwise(np.add),
    "Sub": _elementwise(np.subtract),
    "Mul": _elementwise(np.multiply),
    "Div": _elementwise(_divide),
    "Mod": _elementwise(np.mod),
    "Max": _elementwise(lambda *x: np.maximum.reduce(np.broadcast_arrays(*x))),
    "Min": _elementwise(lambda *x: np.minimum.reduce(np.broadcast_arrays(*x))),
    "Equal": _elementwise(np.equal),
    "Where": _elementwise(np.where),
    "Floor": _elementwise(np.floor),
    "Ceil": _elementwise(np.ceil),
    "Sqrt": _elementwise(np.sqrt),
    "Neg": _elementwise(np.negative),
    "Identity": lambda a, inputs: inputs[0],
    "Cast": _cast,
    "Concat": _concat,
    "Gather": _gather,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Slice": _slice,
    "Reshape": _reshape,
    "Transpose": _transpose,
    "ReduceProd": _reduce(np.prod),
    "ReduceSum": _reduce(np.sum),
    "Range": _range,
    "Expand": _expand,
    "ConstantOfShape": _constant_of_shape,
}
