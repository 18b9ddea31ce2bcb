"""Run `.tflite` files with TFLite Micro on this machine, and ask it how much memory it takes.

The kernels are the reference kernels of the `tflite-micro` wheel for x86: they compute what a microcontroller
computes. The head of the arena is the same as there, the tail larger (64-bit pointers).
"""

from __future__ import annotations

import os
import re
import struct
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hwnas.network.program import Program
from hwnas.network.quantise.quantised import Quantisation
from hwnas.network.tflite.read import TfliteFile, read_tflite
from hwnas.network.tflite.runnable import check_runnable

_SMALLEST_ARENA = 2**16
_ALIGNMENT = 16
_LAST_LINES = 4
_STDERR = 2
_ALLOCATION = re.compile(r"Arena allocation (total|head|tail) (\d+) bytes")
_standard_error = threading.Lock()


@dataclass(frozen=True)
class Arena:
    """Bytes of the arena: planned activations and scratch (head), and what lasts (tail)."""

    head_bytes: int
    tail_bytes: int

    @property
    def total_bytes(self) -> int:
        """Both."""
        return self.head_bytes + self.tail_bytes


class Interpreter:
    """TFLite Micro with one model."""

    def __init__(self, model: bytes | bytearray | memoryview, arena_bytes: int | None = None) -> None:
        """Prepare `model` in an arena of `arena_bytes`, by default as much as any model of its tensors takes.

        Raises:
            ImportError: the extra `mcu` is not installed.
            ValueError: `model` cannot be read, or would break the runtime (see `check_runnable`); the runtime
                lacks an operator or refuses it, or the arena is too small; with what it said.
        """
        model = bytes(model)
        self._file = read_tflite(model)
        check_runnable(self._file)
        runtime = _runtime()
        self._said = ""
        with _captured() as said:
            try:
                self._interpreter = runtime.Interpreter.from_bytes(
                    model, arena_size=_aligned(arena_bytes or _roomy_arena(self._file))
                )
            except (struct.error, TypeError, ValueError) as error:
                raise ValueError(f"TFLite Micro cannot read the model: {error}") from error
            except RuntimeError as error:
                raise ValueError(f"TFLite Micro refuses the model: {_last(said()) or error}") from error

    @property
    def arena(self) -> Arena:
        """What the model takes, as the runtime itself reports it."""
        with _captured() as said:
            self._interpreter.print_allocations()
            found = {name: int(size) for name, size in _ALLOCATION.findall(said())}
        return Arena(found["head"], found["tail"])

    def run(self, x: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The first output for each sample of the first input.

        Args:
            x: `[n, ...]` in TFLite's layout: maps `[n, h, w, c]`. Floats are real numbers, which the scale of
                an int8 input quantises; integers must be of the input's dtype and are taken as they are.

        Returns:
            `[n, ...]`: real float32 numbers where `x` is of floats, the output's own integers
            otherwise.

        Raises:
            ValueError: another shape or dtype, no samples, NaN, or a model of several inputs; a kernel fails,
                for instance for lack of an int8 form; with what it said.
        """
        program = self._file.program
        if len(program.inputs) != 1:
            raise ValueError(f"the model has {len(program.inputs)} inputs; one is needed")
        number = program.inputs[0]
        samples = _samples(np.asarray(x), program, number)
        is_real = np.issubdtype(samples.dtype, np.floating)
        integers = _quantised(samples, program.tensors[number].dtype, self._file.quantisations.get(number))
        with _captured() as said:
            try:
                outputs = np.concatenate([self._run_one(sample[None]) for sample in integers])
            except RuntimeError as error:
                raise ValueError(f"TFLite Micro fails: {_last(said()) or error}") from error
        return _real(outputs, self._file.quantisations.get(program.outputs[0])) if is_real else outputs

    def _run_one(self, sample: npt.NDArray[Any]) -> npt.NDArray[Any]:
        self._interpreter.set_input(np.ascontiguousarray(sample), 0)
        self._interpreter.invoke()
        return np.array(self._interpreter.get_output(0))


def _runtime() -> Any:
    try:
        from tflite_micro import runtime
    except ImportError as error:
        raise ImportError("TFLite Micro is not installed: pip install 'hwnas[mcu]'") from error
    return runtime


def _last(said: str) -> str:
    """The end of what the runtime said, on one line."""
    return "; ".join(said.strip().splitlines()[-_LAST_LINES:])


def _aligned(size: int) -> int:
    """A size at which nothing is lost at the end of the arena, where the tail grows from."""
    return max(_ALIGNMENT, size // _ALIGNMENT * _ALIGNMENT)


def _roomy_arena(file: TfliteFile) -> int:
    """Bytes that suffice: all activations side by side, and generous records of tensors and operators."""
    tensors, operators = file.program.tensors, file.program.operators
    activations = sum(2 * tensor.bytes + 16 for tensor in tensors if not tensor.is_constant)
    records = sum(256 + 32 * tensor.scales for tensor in tensors) + 4096 * len(operators)
    return _SMALLEST_ARENA + activations + records + 10 * file.size_bytes


def _samples(x: npt.NDArray[Any], program: Program, number: int) -> npt.NDArray[Any]:
    tensor = program.tensors[number]
    if x.ndim != len(tensor.shape) or x.shape[1:] != tensor.shape[1:] or tensor.shape[0] != 1:
        wanted = ", ".join(["n", *map(str, tensor.shape[1:])])
        raise ValueError(f"an input of shape {x.shape}; [{wanted}] is needed")
    if not len(x):
        raise ValueError("no samples")
    is_real = np.issubdtype(x.dtype, np.floating)
    if not is_real and x.dtype != np.dtype(tensor.dtype):
        raise ValueError(f"an input of {x.dtype}; floats or {tensor.dtype} are needed")
    if is_real and not np.isfinite(x).all():
        raise ValueError("the input holds NaN or infinite numbers")
    return x


def _quantised(samples: npt.NDArray[Any], dtype: str, quantisation: Quantisation | None) -> npt.NDArray[Any]:
    """`samples` as the input's dtype."""
    if samples.dtype == np.dtype(dtype):
        return samples
    if dtype == "float32":
        return samples.astype(np.float32)
    if quantisation is None:
        raise ValueError(f"the input of {dtype} has no scale: give integers")
    limits = np.iinfo(dtype)
    scaled = samples.astype(np.float64) / quantisation.scales[0] + quantisation.zero_point
    integers: npt.NDArray[Any] = np.clip(np.rint(scaled), limits.min, limits.max).astype(dtype)
    return integers


def _real(outputs: npt.NDArray[Any], quantisation: Quantisation | None) -> npt.NDArray[Any]:
    if quantisation is None:
        return outputs.astype(np.float32)
    real: npt.NDArray[np.float32] = (
        outputs.astype(np.float32) - quantisation.zero_point
    ) * quantisation.scales
    return real


@contextmanager
def _captured() -> Iterator[Any]:
    """What the runtime writes to C's standard error meanwhile goes to a file; the yielded function reads it.

    One thread at a time: the descriptor belongs to the whole process.
    """
    with _standard_error, tempfile.TemporaryFile() as file:
        if sys.stderr is not None:
            sys.stderr.flush()
        kept = os.dup(_STDERR)
        os.dup2(file.fileno(), _STDERR)

        def said() -> str:
            file.seek(0)
            return file.read().decode(errors="replace")

        try:
            yield said
        finally:
            os.dup2(kept, _STDERR)
            os.close(kept)
