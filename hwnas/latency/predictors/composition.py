"""From the sum of a network's parts to its latency: the sum itself, or a line that whole networks give.

An isolated block pays for a session and for laying out its input and output, which within a network it
does not; a profiled kernel pays for being timed. So plain sums are biased and well ranked. The line
a + b·sum, fitted on as few as five whole networks, takes the bias away.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SUM, AFFINE = "sum", "affine"
COMPOSITIONS = (AFFINE, SUM)


@dataclass(frozen=True)
class Composition:
    """Latency = offset_ms + slope · sum.

    Below the smallest sum that it was fitted on a negative offset would lead to zero; there the line
    goes straight to the origin.

    Raises:
        ValueError: the line is not positive at the smallest sum, or does not rise.
    """

    offset_ms: float = 0.0
    slope: float = 1.0
    smallest_sum_ms: float = 0.0

    def __post_init__(self) -> None:
        at_smallest = self.offset_ms + self.slope * self.smallest_sum_ms
        if not (self.slope > 0 and self.smallest_sum_ms >= 0 and (self.offset_ms >= 0 or at_smallest > 0)):
            raise ValueError(
                "the networks' latencies do not grow with the sum of their parts' "
                f"({self.offset_ms:.4g} ms + {self.slope:.4g} · sum): not of one device, or too noisy"
            )

    @property
    def name(self) -> str:
        """`sum` or `affine`."""
        return SUM if self == Composition() else AFFINE

    def apply(self, sums_ms: Floats) -> Floats:
        """Latencies in milliseconds of networks whose parts sum to `sums_ms`; both `[n]`."""
        line: Floats = self.offset_ms + self.slope * sums_ms
        if self.offset_ms >= 0:
            return line
        at_smallest = self.offset_ms + self.slope * self.smallest_sum_ms
        straight: Floats = sums_ms * (at_smallest / self.smallest_sum_ms)
        return np.where(sums_ms < self.smallest_sum_ms, straight, line)


def affine(sums_ms: Floats, latency_ms: Floats) -> Composition:
    """The line that minimises Σ ((a + b·sum) / latency - 1)², both `[n]`; with sums all alike a is 0.

    Raises:
        ValueError: latencies do not grow with the sums.
    """
    columns = np.stack([1 / latency_ms, sums_ms / latency_ms], axis=1)
    smallest = float(sums_ms.min())
    if np.ptp(sums_ms) <= 1e-9 * float(sums_ms.max()):
        ratio = columns[:, 1]
        return Composition(0.0, float(ratio.sum() / (ratio @ ratio)), smallest)
    offset, slope = np.linalg.lstsq(columns, np.ones(len(sums_ms)), rcond=None)[0]
    return Composition(float(offset), float(slope), smallest)
