"""A figure, how sure it is, and why there is none."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Statistic:
    """A figure with its interval.

    Attributes:
        value: the figure; NaN where it is undefined.
        low: lower end of its 95 % bootstrap interval; NaN where there is none.
        high: upper end.
        reason: why the value is NaN; None when it is a number.
    """

    value: float
    low: float
    high: float
    reason: str | None = None

    def __post_init__(self) -> None:
        if math.isfinite(self.value) != (self.reason is None):
            raise ValueError(f"reason is {self.reason!r} for the value {self.value}; it belongs to NaN alone")
