"""The Pareto front of a run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hwnas.objectives import Objective
from hwnas.objectives.pareto import non_dominated
from hwnas.search.records import Trial


def front(trials: Sequence[Trial], objective: Objective, costs: Sequence[str]) -> list[Trial]:
    """The feasible trials that no other feasible one dominates, by rising first cost.

    A trial dominates another if it is no worse in the objective's metric and in every cost, and better in
    one of them. Of an architecture that was evaluated several times the first trial stands.

    Args:
        trials: of a search, in any order.
        objective: whose metric is maximised, and whose constraints must hold.
        costs: names of the metrics to minimise.

    Raises:
        ValueError: no costs.
    """
    if not costs:
        raise ValueError("a front needs the name of at least one cost")
    names = {objective.maximize, *costs}
    first = {t.architecture: t for t in reversed(trials) if names <= t.metrics.keys()}
    known = [t for t in first.values() if objective.fitness(t.metrics).rank == 2]
    values = np.array([[*(t.metrics[c] for c in costs), -t.metrics[objective.maximize]] for t in known])
    return [known[i] for i in non_dominated(values)] if known else []
