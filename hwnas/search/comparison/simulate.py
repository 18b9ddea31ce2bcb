"""One search on recorded results: ask, look up, tell."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np

from hwnas.objectives import Objective
from hwnas.search.comparison.contestants import Contestant
from hwnas.search.comparison.recorded import SECONDS, Floats, RecordedSpace
from hwnas.search.screen import Screen
from hwnas.search.strategy import Proposal

MOST_WITHOUT_TRAINING = 1_000
MOST_SCORES = 100_000


@dataclass(frozen=True, eq=False)
class Search:
    """What one search did.

    Attributes:
        best: `[queries]`: the best value within the constraints among the first networks trained; NaN while
            there is none. Where the search ended early, its last value stays.
        seconds: `[queries]`: the simulated seconds of training up to each; NaN where they are not recorded.
        trained: number of different networks that were trained.
        proposals: number of architectures proposed by the objective's metric, again or not.
        infeasible: how many of these break a constraint; they are not trained.
        answer: encoding of the best network; None where there is none.
        steps: number of proposals of any kind.
        own_seconds: processor time that the strategy spent in `ask` and `tell`.
    """

    best: Floats
    seconds: Floats
    trained: int
    proposals: int
    infeasible: int
    answer: tuple[int, ...] | None
    steps: int
    own_seconds: float


def simulate(
    recorded: RecordedSpace,
    objective: Objective,
    contestant: Contestant,
    *,
    queries: int,
    seed: int,
    budget_s: float = math.inf,
) -> Search:
    """Search until `queries` different networks are trained, `budget_s` is spent, or the strategy ends.

    One proposal is under way at a time. As in a real run, the constraints' metrics are cheap and are known
    before training: an architecture that breaks one is not trained, and one that was trained is not trained
    again; so neither counts as a query. The search is given up after `MOST_WITHOUT_TRAINING` proposals in
    turn from which nothing new is trained. A training that would end after `budget_s`, in simulated seconds
    of all trainings, is not begun and ends the search, as in the experiments of NAS-Bench-201.

    Raises:
        ValueError: the strategy refuses its settings, or asks for what is not recorded.
    """
    strategy = contestant.make(recorded.space, objective, seed)
    strategy.screen = Screen(objective, recorded.metrics)
    laboratory = _Laboratory(recorded, objective, contestant, queries, budget_s)
    own, clock = 0.0, time.process_time
    while not laboratory.is_done:
        started = clock()
        proposal = strategy.ask()
        own += clock() - started
        if proposal is None:
            break
        metrics = laboratory.evaluate(proposal)
        started = clock()
        strategy.tell(proposal, metrics)
        own += clock() - started
    return laboratory.search(own)


class _Laboratory:
    """Evaluates what is proposed, and keeps count."""

    def __init__(
        self,
        recorded: RecordedSpace,
        objective: Objective,
        contestant: Contestant,
        queries: int,
        budget_s: float,
    ) -> None:
        self.recorded, self.objective, self.queries = recorded, objective, queries
        wanted = [*(one.metric for one in objective.constraints), *contestant.proxies]
        self._cheap = [recorded.metrics[name] for name in dict.fromkeys(wanted) if name in recorded.metrics]
        self._target = recorded.metrics[objective.maximize]
        self._seconds = recorded.metrics.get(SECONDS)
        self._trained: set[tuple[int, ...]] = set()
        self._best, self._spent = np.full(queries, math.nan), np.full(queries, math.nan)
        self._answer: tuple[int, ...] | None = None
        self._greatest, self._total = -math.inf, 0.0
        self._budget_s, self._is_spent = budget_s, False
        self._proposals = self._infeasible = self._scores = self._since = 0

    @property
    def is_done(self) -> bool:
        """Whether enough is trained, or nothing new has been for too long."""
        full = len(self._trained) >= self.queries or self._is_spent
        return full or self._since >= MOST_WITHOUT_TRAINING or self._scores >= MOST_SCORES

    def evaluate(self, proposal: Proposal) -> dict[str, float]:
        """The metrics that a run would tell: the cheap ones, and the objective's within the constraints."""
        encoding = proposal.architecture.encoding
        metrics = {one.name: value for one in self._cheap if not math.isnan(value := one.at(encoding))}
        if proposal.maximize != self.objective.maximize:
            self._scores += 1
            self._score(proposal, metrics)
            return metrics
        self._proposals += 1
        self._since += 1
        if self.objective.violation(metrics) > 0:
            self._infeasible += 1
            return metrics
        metrics[self.objective.maximize] = value = self._target.at(encoding)
        if encoding not in self._trained:
            self._train(encoding, value)
        return metrics

    def _score(self, proposal: Proposal, metrics: dict[str, float]) -> None:
        """Add the proxy that is asked for, where it is defined."""
        known = self.recorded.metrics
        if proposal.fidelity < 1:
            raise ValueError(f"it asks for {proposal.maximize}, and only whole trainings are recorded")
        if proposal.maximize not in known:
            raise ValueError(
                f"it asks for {proposal.maximize}, which is not recorded; recorded: {', '.join(known)}"
            )
        value = known[proposal.maximize].at(proposal.architecture.encoding)
        if not math.isnan(value):
            metrics[proposal.maximize] = value

    def _train(self, encoding: tuple[int, ...], value: float) -> None:
        total = self._total + (self._seconds.at(encoding) if self._seconds else math.nan)
        if total > self._budget_s:
            self._is_spent = True
            return
        self._total = total
        if value > self._greatest:
            self._answer, self._greatest = encoding, value
        number = len(self._trained)
        self._best[number], self._spent[number] = self._greatest, self._total
        self._trained.add(encoding)
        self._since = 0

    def search(self, own_seconds: float) -> Search:
        """What was done."""
        if self._trained:
            self._best[len(self._trained) :] = self._greatest
        return Search(
            self._best,
            self._spent,
            len(self._trained),
            self._proposals,
            self._infeasible,
            self._answer,
            self._proposals + self._scores,
            own_seconds,
        )
