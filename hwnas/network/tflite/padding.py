"""TFLite's two ways of padding, SAME and VALID, and explicit pads."""

from __future__ import annotations

from hwnas.network.program import Window, same_pads

SAME, VALID = 0, 1
_NO_PADS = (0, 0, 0, 0)


def pads_of(scheme: int, window: Window, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The pads (top, left, bottom, right) of `scheme` for maps of `size` (h, w)."""
    return same_pads(window, *size) if scheme == SAME else _NO_PADS


def scheme_of(window: Window, size: tuple[int, int]) -> int | None:
    """The scheme that pads maps of `size` (h, w) as `window` does; None where neither does."""
    return next((s for s in (VALID, SAME) if pads_of(s, window, size) == window.pads), None)


def output_size(window: Window, size: tuple[int, int]) -> tuple[int, int]:
    """The size (h, w) of the maps after a window over maps of `size`; below 1 where it does not fit."""
    height, width = [
        (size[axis] + window.pads[axis] + window.pads[2 + axis] - (k - 1) * d - 1) // s + 1
        for axis, (k, d, s) in enumerate(zip(window.kernel, window.dilations, window.strides, strict=True))
    ]
    return height, width
