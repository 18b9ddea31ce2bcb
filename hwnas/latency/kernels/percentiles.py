"""Percentiles of times that a clock gives in whole microseconds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def percentiles(times_us: Floats, percent: list[float]) -> Floats:
    """Percentiles of whole numbers, to fractions: those of grouped data.

    A time of v microseconds was between v and v + 1; of the c times that read v, the j-th is taken to be
    v + (j - 1/2) / c, which makes the percentile move smoothly with the share of readings below it.

    Args:
        times_us: (n,).
        percent: percentages, 0 to 100.
    """
    values, counts = np.unique(times_us, return_counts=True)
    spread = np.concatenate([v + (np.arange(c) + 0.5) / c for v, c in zip(values, counts, strict=True)])
    return np.asarray(np.percentile(spread, percent), dtype=np.float64)
