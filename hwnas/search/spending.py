"""What a search has cost: networks evaluated by the metric that it maximises, in full trainings."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable

from hwnas.search.fidelity import require_whole, split
from hwnas.search.records import Trial

_ROUNDING = 1e-3  # a name tells a fidelity with six digits, and three trainings of 0.333333 are one


class Spending:
    """Adds up what was evaluated, whose networks are told apart by a key of the caller's choice.

    A network costs 1 the first time that the metric is evaluated, its fidelity where it is trained for a part
    only; one that is asked for again at the same fidelity costs nothing, one asked for at a higher fidelity
    is trained anew. A training that failed counts whole. Infeasible networks that are not trained, and scores
    by another metric, cost nothing.

    Args:
        maximize: the metric.

    Raises:
        ValueError: `maximize` is called like a metric after a part of a training.

    Attributes:
        trainings: the sum.
        idle: how many networks were asked for by the metric since the last that was evaluated.
    """

    def __init__(self, maximize: str) -> None:
        require_whole(maximize)
        self.trainings = 0.0
        self.idle = 0
        self._maximize = maximize
        self._seen: set[tuple[Hashable, str]] = set()
        self._prices: dict[str, float] = {}

    def price(self, asked: str) -> float:
        """What evaluating a network by that metric costs."""
        if asked not in self._prices:
            metric, fidelity = split(asked)
            self._prices[asked] = fidelity if metric == self._maximize else 0.0
        return self._prices[asked]

    def cost(self, key: Hashable, asked: str) -> float:
        """What evaluating this network costs: its price, or nothing where it was evaluated before."""
        return 0.0 if (key, asked) in self._seen else self.price(asked)

    def count(self, key: Hashable, asked: str, *, is_evaluated: bool) -> None:
        """Count a network that was asked for, and whether evaluating it had begun."""
        self.idle += self.price(asked) > 0
        if is_evaluated and (cost := self.cost(key, asked)):
            self.trainings += cost
            self.idle = 0
            self._seen.add((key, asked))

    def add(self, trial: Trial) -> None:
        """Count a trial, its architecture's text being the key."""
        self.count(trial.architecture, trial.asked, is_evaluated=trial.asked in trial.metrics or trial.lost)

    def reaches(self, budget: float, more: float = 0.0) -> bool:
        """Whether the budget is spent, or would be with so many trainings more."""
        return self.trainings + more >= budget - _ROUNDING

    @property
    def begun(self) -> int:
        """How many full trainings are spent, one that is spent in part included; at least 1."""
        return max(1, math.ceil(self.trainings - _ROUNDING))

    def has_room(self, cost: float, budget: float) -> bool:
        """Whether so much can be spent beside what is."""
        return self.trainings + cost <= budget + _ROUNDING


def full_trainings(trials: Iterable[Trial], maximize: str) -> float:
    """What evaluating `maximize` has cost in these trials, in full trainings; see `Spending`."""
    spending = Spending(maximize)
    for trial in trials:
        spending.add(trial)
    return spending.trainings
