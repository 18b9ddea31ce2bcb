"""Classes of operators whose instructions are counted, and the quantities that their counts grow with.

The quantities are what the loops of CMSIS-NN and TFLite Micro run over on a Cortex-M with DSP instructions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from hwnas.network.program import Window

TERMS: dict[str, tuple[str, ...]] = {
    "conv1": ("chunked", "remaining", "outputs", "weights", "channels", "pixels", "1"),
    "conv": ("macs", "outputs", "gathered", "places", "odd", "1"),
    "depthwise3": ("reading", "taps", "outside", "outputs", "1"),
    "depthwise": ("macs", "reading", "taps", "outside", "outputs", "pixels", "1"),
    "add": ("outputs", "1"),
    "mul": ("outputs", "1"),
    "mul_broadcast": ("outputs", "1"),
    "add_broadcast": ("outputs", "1"),
    "hard_swish": ("outputs", "1"),
    "relu": ("outputs", "1"),
    "relu6": ("outputs", "1"),
    "fully_connected": ("macs", "outputs", "1"),
    "max_pool": ("reading", "pixels", "1"),
    "average_pool": ("reading", "taps", "outputs", "pixels", "1"),
    "mean": ("inputs", "outputs", "1"),
    "pad": ("copied", "filled", "rows", "copied_rows", "1"),
    "concat": ("outputs", "copies", "1"),
    "copy": ("outputs", "1"),
    "fill": ("outputs", "1"),
    "transpose": ("outputs", "1"),
    "resize_nearest": ("outputs", "pixels", "1"),
    "softmax": ("outputs", "1"),
    "quantize": ("outputs", "1"),
    "dequantize": ("outputs", "1"),
}
"""The terms of each class.

`chunked` and `remaining` are MACs of 1×1 convolutions in whole groups of 16 input channels and beside them;
`gathered` is what im2col copies and `places` how often it does so; `odd` the MACs of the last position where
there is an odd number of them. `taps` counts, over all positions of the output, the elements of the window
that lie inside the map (one channel), `outside` those that lie in its padding; `reading` is `taps` times the
channels. `copies` of a concatenation are one for each input and position.
"""

COUNTED_WINDOWS = {
    "conv": ((3, 3),),
    "depthwise3": ((3, 3),),
    "depthwise": ((5, 5), (7, 7)),
    "max_pool": ((2, 2),),
}
"""The windows of each class that were counted where others are extrapolated. The terms of average pooling
describe every count exactly, so that any window is as good."""

_CHUNK = 16


@dataclass(frozen=True, slots=True)
class Operation:
    """One operator on int8 data.

    Attributes:
        kind: its class, one of `TERMS`.
        quantities: the values of the terms of its class, in order.
        window: height and width of the window of a convolution or pooling.
        is_extrapolated: whether no operator of this form was counted.
    """

    kind: str
    quantities: tuple[float, ...]
    window: tuple[int, int] = (1, 1)
    is_extrapolated: bool = False

    def __str__(self) -> str:
        return f"{self.kind} {self.window[0]}×{self.window[1]}"


def simple(kind: str, **quantities: int) -> Operation:
    """An operator of a class without windows from its quantities by name, but for the constant one."""
    return Operation(kind, tuple(1.0 if term == "1" else float(quantities[term]) for term in TERMS[kind]))


def convolution(out: tuple[int, int], inputs: int, outputs: int, window: Window) -> Operation:
    """A dense convolution.

    Args:
        out: height and width of the map that it makes.
        inputs: input channels.
        outputs: output channels.
        window: its window.
    """
    pixels, columns = math.prod(out), math.prod(window.kernel) * inputs
    if window.kernel == (1, 1) and not any(window.pads):
        chunks = inputs // _CHUNK * _CHUNK
        made = pixels * outputs
        return simple(
            "conv1",
            chunked=made * chunks,
            remaining=made * (inputs - chunks),
            outputs=made,
            weights=inputs * outputs,
            channels=outputs,
            pixels=pixels,
        )
    return _windowed(
        "conv",
        window,
        macs=pixels * columns * outputs,
        outputs=pixels * outputs,
        gathered=pixels * columns,
        places=pixels * math.prod(window.kernel),
        odd=pixels % 2 * columns * outputs,
    )


def depthwise(
    size: tuple[int, int], out: tuple[int, int], outputs: int, window: Window, multiplier: int = 1
) -> Operation:
    """A depthwise convolution.

    Windows of 3 × 3 with at most one element of padding have a kernel of their own, which computes four
    channels at a time without gathering their inputs first. The one for multipliers of 4 works alike and is
    counted as it is; other windows are gathered.

    Args:
        size: height and width of the map that it reads.
        out: height and width of the map that it makes.
        outputs: output channels.
        window: its window.
        multiplier: output channels for each input channel.
    """
    taps, pixels, area = _taps(size, out, window), math.prod(out), math.prod(window.kernel)
    is_3x3 = window.kernel == (3, 3) and max(window.pads) <= 1 and window.dilations == (1, 1)
    is_direct = is_3x3 if multiplier == 1 else multiplier % 4 == 0
    return _windowed(
        "depthwise3" if is_direct else "depthwise",
        window,
        is_extrapolated=multiplier != 1,
        macs=pixels * area * outputs,
        reading=taps * outputs,
        taps=taps,
        outside=pixels * area - taps,
        outputs=pixels * outputs,
        pixels=pixels,
    )


def pooling(
    kind: str, size: tuple[int, int], out: tuple[int, int], channels: int, window: Window
) -> Operation:
    """A `max_pool` or `average_pool`; arguments as `depthwise`."""
    taps, pixels = _taps(size, out, window), math.prod(out)
    return _windowed(
        kind, window, reading=taps * channels, taps=taps, outputs=pixels * channels, pixels=pixels
    )


def _windowed(kind: str, window: Window, *, is_extrapolated: bool = False, **quantities: int) -> Operation:
    counted = COUNTED_WINDOWS.get(kind, (window.kernel,))
    found = simple(kind, **quantities)
    is_new = is_extrapolated or window.kernel not in counted or window.dilations != (1, 1)
    return Operation(kind, found.quantities, window.kernel, is_new)


def _taps(size: tuple[int, int], out: tuple[int, int], window: Window) -> int:
    """Elements of the window inside the map, summed over the positions of the output."""
    rows, columns = (
        taps_along(size[axis], out[axis], *window_axis)
        for axis, window_axis in enumerate(
            zip(window.kernel, window.strides, window.pads[:2], window.dilations, strict=True)
        )
    )
    return rows * columns


@lru_cache(maxsize=4096)
def taps_along(size: int, out: int, kernel: int, stride: int, pad: int, dilation: int) -> int:
    """Elements of the window inside the map along one axis, summed over the `out` positions of the output."""
    total = 0
    for element in range(kernel):
        offset = element * dilation - pad
        first = max(0, -(offset // stride))
        last = min(out - 1, (size - 1 - offset) // stride)
        total += max(0, last - first + 1)
    return total
