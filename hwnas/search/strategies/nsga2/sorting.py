"""Fast non-dominated sorting under constraints (Deb et al., IEEE TEC 2002, sections III-A and VI)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def dominates(costs: Floats, violations: Floats) -> NDArray[np.bool_]:
    """`[n, n]`: whether the first of two architectures dominates the second.

    Of two feasible ones, that which costs no more in anything and less in something. A feasible one
    dominates an infeasible one; of two infeasible ones, that of the smaller violation does.

    Args:
        costs: `[n, m]`, less is better; those of infeasible ones are not looked at.
        violations: `[n]`, 0 where feasible, infinite where undefined.
    """
    feasible = violations == 0
    less = np.zeros((len(costs), len(costs)), dtype=bool)
    no_more = np.ones_like(less)
    for cost in costs.T:
        less |= cost[:, None] < cost[None, :]
        no_more &= cost[:, None] <= cost[None, :]
    both_feasible = feasible[:, None] & feasible[None, :]
    result: NDArray[np.bool_] = np.where(
        both_feasible, less & no_more, violations[:, None] < violations[None, :]
    )
    return result


def fast_non_dominated_sort(costs: Floats, violations: Floats) -> list[NDArray[np.intp]]:
    """The fronts, best first: indices into the architectures, each in exactly one front, in order.

    No architecture of the first front is dominated; those of a later front are dominated by one of the
    front before, and by none of their own.

    Args:
        costs: `[n, m]`, less is better.
        violations: `[n]`, 0 where feasible, infinite where undefined.
    """
    domination = dominates(costs, violations)
    dominators = domination.sum(axis=0)
    fronts: list[NDArray[np.intp]] = []
    while (front := np.flatnonzero(dominators == 0)).size:
        fronts.append(front)
        dominators -= domination[front].sum(axis=0)
        dominators[front] = -1
    return fronts
