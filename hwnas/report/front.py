"""The Pareto front of two numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hwnas.objectives.pareto import non_dominated


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
    return non_dominated(np.column_stack([cost, -score]))
