"""Which rows (or columns) of every map are needed for some rows of the last: receptive fields, exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from hwnas.network.program import Operator, Program, UnsupportedOperatorError, Window

WINDOWED = ("CONV_2D", "DEPTHWISE_CONV_2D", "AVERAGE_POOL_2D", "MAX_POOL_2D")
POINTWISE = (
    *("ADD", "SUB", "MUL", "DIV", "MAXIMUM", "MINIMUM", "QUANTIZE", "DEQUANTIZE"),
    *("RELU", "RELU6", "RELU_N1_TO_1", "LEAKY_RELU", "PRELU", "ELU", "GELU"),
    *("HARD_SWISH", "LOGISTIC", "TANH", "EXP", "LOG", "SQRT", "RSQRT", "SQUARE", "ABS", "NEG"),
)
PADS = ("PAD", "PADV2")


class Range(NamedTuple):
    """Rows (or columns) `start` to `stop` - 1 of a map; what lies outside the map is padding."""

    start: int
    stop: int

    @property
    def length(self) -> int:
        """How many they are."""
        return self.stop - self.start

    def hull(self, other: Range) -> Range:
        """The shortest range that holds both."""
        return Range(min(self.start, other.start), max(self.stop, other.stop))


def window_range(wanted: Range, window: Window, axis: int) -> Range:
    """What a window reads for the outputs `wanted` along `axis` (0: rows, 1: columns), padding included."""
    stride, reach = window.strides[axis], (window.kernel[axis] - 1) * window.dilations[axis] + 1
    start = wanted.start * stride - window.pads[axis]
    return Range(start, start + (wanted.length - 1) * stride + reach)


def window_rows(wanted: Range, window: Window, axis: int, size: int) -> Range:
    """The same without padding, in a map of `size` rows; row 0 or the last where it reads padding only."""
    whole = window_range(wanted, window, axis)
    if whole.start >= 0 and whole.stop <= size:
        return whole
    firsts = range(whole.start, whole.start + wanted.length * window.strides[axis], window.strides[axis])
    read = [
        first + tap * window.dilations[axis]
        for first in firsts
        for tap in range(window.kernel[axis])
        if 0 <= first + tap * window.dilations[axis] < size
    ]
    if not read:
        return Range(0, 1) if whole.start < 0 else Range(size - 1, size)
    return Range(min(read), max(read) + 1)


def needed_ranges(
    program: Program, operators: Sequence[Operator], target: int, wanted: Range, axis: int, *, clip: bool
) -> Mapping[int, Range]:
    """For each map (by tensor number), what is needed of it for the rows `wanted` of tensor `target`.

    Args:
        program: whose tensors they are.
        operators: in the order of execution.
        target: the map that `wanted` is of.
        wanted: rows (columns) of it.
        axis: 0 for rows, 1 for columns.
        clip: whether rows outside a map are left out; otherwise they are held as padding.

    Raises:
        UnsupportedOperatorError: an operator that does not compute maps pixel by pixel or by windows.
    """
    found = {target: wanted}
    for operator in reversed(operators):
        outputs = [found[number] for number in operator.outputs if number in found]
        if not outputs:
            continue
        for number in operator.inputs:
            if number < 0 or program.tensors[number].is_constant:
                continue
            there = _read(program, operator, number, outputs[0], axis, clip=clip)
            found[number] = found[number].hull(there) if number in found else there
    return found


def _read(
    program: Program, operator: Operator, number: int, wanted: Range, axis: int, *, clip: bool
) -> Range:
    """What `operator` reads of its input `number` for `wanted` of its output."""
    shape = program.tensors[number].shape
    window = operator.window if operator.kind in WINDOWED else None
    if operator.kind in PADS:
        window = Window((1, 1), pads=_pads(program, operator))
    if len(shape) == 4 and window is not None:
        return (
            window_rows(wanted, window, axis, shape[1 + axis]) if clip else window_range(wanted, window, axis)
        )
    if len(shape) == 4 and (operator.kind in POINTWISE or _joins_channels(operator)):
        return Range(0, 1) if shape[1 + axis] == 1 else wanted
    raise UnsupportedOperatorError(f"operator {operator.name}: {operator.kind} cannot be executed in patches")


def _joins_channels(operator: Operator) -> bool:
    return operator.kind == "CONCATENATION" and operator.options.get("axis") in (3, -1)


def _pads(program: Program, operator: Operator) -> tuple[int, int, int, int]:
    values = program.tensors[operator.inputs[1]].values
    if values is None:
        raise UnsupportedOperatorError(f"operator {operator.name}: how much it pads is not known")
    return (int(values[2]), int(values[4]), int(values[3]), int(values[5]))
