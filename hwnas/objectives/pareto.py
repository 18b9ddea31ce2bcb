"""Pareto fronts: what no other of several points is better than."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def non_dominated(costs: NDArray[np.float64]) -> NDArray[np.intp]:
    """Indices of the rows that no other row dominates, by rising first cost, then second, and so on.

    A row dominates another if nothing in it is greater and something less; so equal rows stay together, in
    their order. Rows with a NaN are left out.

    Args:
        costs: `[n, m]`, less is better.
    """
    ordered = np.lexsort(costs.T[::-1])
    left = ordered[~np.isnan(costs[ordered]).any(axis=1)]
    kept: list[int] = []
    while left.size:
        first, others = costs[left[0]], costs[left[1:]]
        kept.append(int(left[0]))
        is_dominated = (first <= others).all(axis=1) & (first < others).any(axis=1)
        left = left[1:][~is_dominated]
    return np.array(kept, dtype=np.intp)
