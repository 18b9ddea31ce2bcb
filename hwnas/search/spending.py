"""What a search has cost: networks evaluated by the metric that it maximises, in full trainings."""

from __future__ import annotations

from collections.abc import Iterable

from hwnas.search.fidelity import split
from hwnas.search.records import Trial
from hwnas.search.strategy import Proposal

_ROUNDING = 1e-3  # a name tells a fidelity with six digits, and three trainings of 0.333333 are one


class Spending:
    """Adds up trials.

    A network costs 1 the first time that the metric is evaluated, its fidelity where it is trained for a part
    only; one that is asked for again at the same fidelity costs nothing, one asked for at a higher fidelity
    is trained anew. A training that failed counts whole. Infeasible networks that are not trained, and scores
    by another metric, cost nothing.

    Args:
        maximize: the metric.

    Attributes:
        trainings: the sum.
        idle: how many networks were asked for by the metric since the last that was evaluated.
    """

    def __init__(self, maximize: str) -> None:
        self.trainings = 0.0
        self.idle = 0
        self._maximize = maximize
        self._seen: set[tuple[str, str]] = set()

    def add(self, trial: Trial) -> None:
        """Count one more trial."""
        self.idle += self._price(trial.asked) > 0
        key = trial.architecture, trial.asked
        if key in self._seen or not (trial.asked in trial.metrics or trial.status == "failed"):
            return
        self._seen.add(key)
        if price := self._price(trial.asked):
            self.trainings += price
            self.idle = 0

    def at_most(self, proposal: Proposal) -> float:
        """What evaluating a proposal may cost."""
        key = str(proposal.architecture), proposal.maximize
        return 0.0 if key in self._seen else self._price(proposal.maximize)

    def reaches(self, budget: float, more: float = 0.0) -> bool:
        """Whether the budget is spent, or would be with so many trainings more."""
        return self.trainings + more >= budget - _ROUNDING

    def _price(self, asked: str) -> float:
        metric, fidelity = split(asked)
        return fidelity if metric == self._maximize else 0.0


def full_trainings(trials: Iterable[Trial], maximize: str) -> float:
    """What evaluating `maximize` has cost in these trials, in full trainings; see `Spending`."""
    spending = Spending(maximize)
    for trial in trials:
        spending.add(trial)
    return spending.trainings
