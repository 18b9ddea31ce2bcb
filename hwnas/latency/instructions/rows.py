"""The rows of an instruction table as operators."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hwnas.latency.instructions.operators import Operation, convolution, depthwise, pooling, simple
from hwnas.network.program import Window


@dataclass(frozen=True, slots=True)
class Row:
    """One counted operator on square maps.

    Attributes:
        h: height and width of the map that it reads.
        cin: its channels.
        cout: output channels.
        stride: of the window.
        hout: height and width of the output.
        units: multiply-accumulates, or output elements of operators that have none.
    """

    h: int
    cin: int
    cout: int
    stride: int
    hout: int
    units: int


def _window(row: Row, kernel: int, out: int) -> Window:
    """A window with TFLite's SAME padding."""
    total = max(0, (out - 1) * row.stride + kernel - row.h)
    begin, end = total // 2, total - total // 2
    return Window((kernel, kernel), (row.stride, row.stride), (begin, begin, end, end))


def _dense(kernel: int) -> Callable[[Row], Operation]:
    def operation(row: Row) -> Operation:
        window = _window(row, kernel, row.hout)
        return convolution((row.hout, row.hout), row.cin, row.cout, window)

    return operation


def _depthwise(kernel: int) -> Callable[[Row], Operation]:
    def operation(row: Row) -> Operation:
        return depthwise((row.h, row.h), (row.hout, row.hout), row.cout, _window(row, kernel, row.hout))

    return operation


def _average_pool(row: Row) -> Operation:
    size = (row.h, row.h)
    return pooling("average_pool", size, size, row.cin, _window(row, 3, row.h))


def _max_pool(row: Row) -> Operation:
    """Windows of 2 × 2 side by side."""
    out = (row.h // 2, row.h // 2)
    return pooling("max_pool", (row.h, row.h), out, row.cin, Window((2, 2), (2, 2)))


def _pad(border: int) -> Callable[[Row], Operation]:
    def operation(row: Row) -> Operation:
        copied = row.h**2 * row.cin
        rows = row.h + 2 * border
        return simple("pad", copied=copied, filled=row.units - copied, rows=rows, copied_rows=row.h)

    return operation


def _fully_connected(row: Row) -> Operation:
    """From 4 · cin features; `units` are MACs."""
    return simple("fully_connected", macs=row.units, outputs=row.units // (4 * row.cin))


def _by_outputs(kind: str) -> Callable[[Row], Operation]:
    return lambda row: simple(kind, outputs=row.units)


ROWS: dict[str, Callable[[Row], Operation]] = {
    "conv1": _dense(1),
    "conv3": _dense(3),
    "dw3": _depthwise(3),
    "dw5": _depthwise(5),
    "dw7": _depthwise(7),
    "add": _by_outputs("add"),
    "fc": _fully_connected,
    "maxpool2": _max_pool,
    "avgpool3": _average_pool,
    "mean": lambda row: simple("mean", inputs=row.h**2 * row.cin, outputs=row.units),
    "pad1": _pad(1),
    "pad2": _pad(2),
    "concat": lambda row: simple("concat", outputs=row.units, copies=2 * row.h**2),
    "mul": _by_outputs("mul"),
    "mul_broadcast": _by_outputs("mul_broadcast"),
    "add_broadcast": _by_outputs("add_broadcast"),
    "hard_swish": _by_outputs("hard_swish"),
    "relu": _by_outputs("relu"),
    "relu6": _by_outputs("relu6"),
    "copy": _by_outputs("copy"),
    "fill": _by_outputs("fill"),
    "transpose": _by_outputs("transpose"),
    "nearest2": lambda row: simple("resize_nearest", outputs=row.units, pixels=row.hout**2),
    "softmax": _by_outputs("softmax"),
    "quantize": _by_outputs("quantize"),
    "dequantize": _by_outputs("dequantize"),
}
"""The kinds of rows; `nearest2` makes a map of twice the height and width."""
