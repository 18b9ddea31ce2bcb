"""Crowding distance (Deb et al., "NSGA-II", IEEE TEC 2002, section III-B)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def crowding_distance(costs: NDArray[np.float64]) -> NDArray[np.float64]:
    """`[n]`: how far apart the neighbours of each member of a front are, summed over the objectives.

    In each objective the distance between the next smaller and the next larger member, as a share of the
    range; infinite at either end of the range. An objective in which all are equal tells nothing.

    Args:
        costs: `[n, m]`, of one front.
    """
    distance = np.zeros(len(costs))
    for cost in costs.T:
        order = np.argsort(cost, kind="stable")
        ordered = cost[order]
        spread = ordered[-1] - ordered[0] if len(ordered) else 0.0
        if spread > 0:
            distance[order[1:-1]] += (ordered[2:] - ordered[:-2]) / spread
            distance[order[[0, -1]]] = np.inf
    return distance if len(costs) > 2 else np.full(len(costs), np.inf)
