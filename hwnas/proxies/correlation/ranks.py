"""Ranks, and Spearman's correlation of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ranks = NDArray[np.int64]

UNDEFINED = 0


def dense_ranks(values: Floats) -> Ranks:
    """Ranks [N] of `values` [N] from 1 for the lowest; equal values share a rank, and no rank is left out.

    What is not finite has no place among the others: it gets the rank `UNDEFINED`, below them all.
    """
    ranks = np.full(len(values), UNDEFINED, dtype=np.int64)
    finite = np.isfinite(values)
    ranks[finite] = 1 + np.unique(values[finite], return_inverse=True)[1]
    return ranks


def mean_ranks(ranks: Ranks) -> Floats:
    """Places 1 to N of integers [N], none negative; equal ones share the mean of their places."""
    counts = np.bincount(ranks)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[ranks])


def at_place(ranks: Ranks, place: int) -> int:
    """The integer at `place` (from 0) of the integers [N], none negative, in rising order."""
    return int(np.searchsorted(np.cumsum(np.bincount(ranks)), place, side="right"))


def spearman(score: Ranks, truth: Ranks) -> float:
    """Spearman's rank correlation, ties placed at their mean; NaN where a side is constant. Both [N]."""
    if len(score) == 0:
        return float("nan")
    a, b = (places - places.mean() for places in (mean_ranks(score), mean_ranks(truth)))
    spread = float(np.sqrt((a @ a) * (b @ b)))
    return min(1.0, max(-1.0, float(a @ b) / spread)) if spread > 0 else float("nan")
