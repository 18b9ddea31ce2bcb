"""The Pareto front of two numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def pareto_front(costs: ArrayLike, scores: ArrayLike) -> NDArray[np.intp]:
    """Indices (k,) of the points that no other point beats, by rising cost.

    A point beats another if its cost is not higher, its score not lower, and one of them better; so
    equal points stay together. Points with a NaN are left out.

    Args:
        costs: (n,), less is better.
        scores: (n,), more is better.

    Raises:
        ValueError: the two are not one-dimensional and of equal length.
    """
    cost, score = np.asarray(costs, float), np.asarray(scores, float)
    if cost.ndim != 1 or cost.shape != score.shape:
        raise ValueError(
            f"costs and scores must be two lists of equal length, not {cost.shape}, {score.shape}"
        )
    known = np.flatnonzero(~(np.isnan(cost) | np.isnan(score)))
    order = known[np.lexsort((known, -score[known], cost[known]))]
    kept: list[int] = []
    for i in order:
        best = kept[-1] if kept else None
        if best is None or score[i] > score[best] or (score[i] == score[best] and cost[i] == cost[best]):
            kept.append(int(i))
    return np.asarray(kept, dtype=np.intp)
