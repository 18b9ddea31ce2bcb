"""From probabilities to an architecture: the most probable one, moved as little as needed to keep limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hwnas.differentiable.costs.targets import Cost
from hwnas.differentiable.skips import skips_of_cells
from hwnas.objectives import Constraint
from hwnas.spaces import Architecture
from hwnas.spaces.supernetwork import Probabilities, Supernetwork

LEAST_SHARE = 0.9
"""Of a target, that an architecture at the target uses."""
_LEAST_PROBABILITY = 1e-12


@dataclass(frozen=True)
class Limits:
    """What a derived architecture is to keep.

    Attributes:
        costs: at least those of the targets.
        targets: each cost is to be at most its bound, and at least 0.9 of it; empty for no such limit.
        most_skips: in a cell; None for no limit.
    """

    costs: Mapping[str, Cost]
    targets: Sequence[Constraint] = ()
    most_skips: int | None = None

    def violation(self, supernetwork: Supernetwork, architecture: Architecture) -> float:
        """By what shares of the targets, and how many skips, it is outside; 0 within."""
        ratios = [
            self.costs[target.metric].of(supernetwork, architecture) / target.bound for target in self.targets
        ]
        outside = sum(max(ratio - 1, LEAST_SHARE - ratio, 0.0) for ratio in ratios)
        if self.most_skips is not None:
            cells = skips_of_cells(supernetwork, supernetwork.choices(architecture))
            outside += sum(max(skips - self.most_skips, 0) for skips in cells.values())
        return outside


def derive(supernetwork: Supernetwork, probabilities: Probabilities, limits: Limits) -> Architecture:
    """The most probable architecture, or one that keeps the limits and is nearly as probable.

    From the most probable one decision after another is changed: always the one that loses the least
    log-probability for what it takes from the violation, as a knapsack is filled (Dantzig, "Discrete-Variable
    Extremum Problems", Operations Research, 1957). Where no change of one decision takes anything, two are
    changed at once; where these do not either, it ends.
    """
    logs = {group: np.log(np.maximum(p, _LEAST_PROBABILITY)) for group, p in probabilities.items()}
    known: dict[Architecture, float] = {}

    def violation(architecture: Architecture) -> float:
        if architecture not in known:
            known[architecture] = limits.violation(supernetwork, architecture)
        return known[architecture]

    def rate(architecture: Architecture) -> float:
        gained = _log_probability(supernetwork, architecture, logs) - likelihood
        return gained / (violation(derived) - violation(architecture))

    derived = supernetwork.derive(probabilities)
    while violation(derived) > 0:
        likelihood = _log_probability(supernetwork, derived, logs)
        near = list(supernetwork.space.neighbours(derived))
        better = [one for one in near if violation(one) < violation(derived)]
        if not better:
            further = (two for one in near for two in supernetwork.space.neighbours(one))
            better = [two for two in further if violation(two) < violation(derived)]
        if not better:
            break
        derived = max(better, key=rate)
    return derived


def _log_probability(supernetwork: Supernetwork, architecture: Architecture, logs: Probabilities) -> float:
    chosen = supernetwork.choices(architecture)
    return float(sum(logs[group][choice] for group, choice in chosen.items()))
