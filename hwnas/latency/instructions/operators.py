"""Classes of operators whose instructions are counted, and the quantities that their counts grow with."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Operation:
    """One operator on int8 data, sizes for one sample.

    Attributes:
        kind: its class, one of `TERMS`.
        macs: multiply-accumulates.
        outputs: output elements.
        inputs: input elements.
        pixels: positions of the output map.
        rows: rows of the output map.
        columns: input elements that one output element of a convolution reads (window · channels).
        window: height and width of a pooling's or convolution's window.
    """

    kind: str
    macs: int = 0
    outputs: int = 0
    inputs: int = 0
    pixels: int = 0
    rows: int = 0
    columns: int = 0
    window: tuple[int, int] = (1, 1)

    @property
    def is_extrapolated(self) -> bool:
        """Whether no operator of its window was counted."""
        return self.window != COUNTED_WINDOWS.get(self.kind, self.window)

    def __str__(self) -> str:
        return f"{self.kind} {self.window[0]}×{self.window[1]}"

    def quantities(self) -> list[float]:
        """The values of the terms of its class, in order."""
        return [float(_TERM[term](self)) for term in TERMS[self.kind]]


_TERM: dict[str, Callable[[Operation], int]] = {
    "1": lambda o: 1,
    "macs": lambda o: o.macs,
    "outputs": lambda o: o.outputs,
    "inputs": lambda o: o.inputs,
    "pixels": lambda o: o.pixels,
    "rows": lambda o: o.rows,
    "gathered": lambda o: o.pixels * o.columns,
    "compared": lambda o: o.outputs * math.prod(o.window),
}

TERMS: dict[str, tuple[str, ...]] = {
    "conv1": ("macs", "outputs", "pixels", "1"),
    "conv": ("macs", "outputs", "gathered", "pixels", "1"),
    "depthwise3": ("macs", "pixels", "1"),
    "depthwise5": ("macs", "pixels", "1"),
    "depthwise7": ("macs", "pixels", "1"),
    "add": ("outputs", "1"),
    "fully_connected": ("macs", "outputs", "1"),
    "max_pool": ("compared", "pixels", "1"),
    "average_pool": ("compared", "pixels", "1"),
    "mean": ("inputs", "outputs", "1"),
    "pad": ("outputs", "rows", "1"),
    "concat": ("outputs", "pixels", "1"),
}
"""The terms of each class: what CMSIS-NN's loops run over. `gathered` is im2col's copying, `compared` the
elements that a pooling reads."""

COUNTED_WINDOWS = {"conv": (3, 3), "max_pool": (2, 2), "average_pool": (3, 3)}
"""The window of each class that was counted with one only: others are extrapolated."""
