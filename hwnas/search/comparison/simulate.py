"""One search on recorded results: ask, look up, tell."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np

from hwnas.objectives import Objective
from hwnas.search.comparison.contestants import Contestant
from hwnas.search.comparison.recorded import SECONDS, Floats, RecordedMetric, RecordedSpace
from hwnas.search.fidelity import at_fidelity
from hwnas.search.loop import MOST_IDLE
from hwnas.search.screen import Screen
from hwnas.search.spending import Spending
from hwnas.search.strategy import Proposal, Strategy


@dataclass(frozen=True, eq=False)
class Search:
    """What one search did.

    Attributes:
        best: `[queries]`: the best value within the constraints after so many full trainings; NaN while there
            is none. Where the search ended early, its last value stays.
        seconds: `[queries]`: the simulated seconds of training up to each; NaN where they are not recorded.
        trained: what was trained, in full trainings: 1 for each different network, less for a part of one.
        proposals: number of architectures proposed for a training, again or not.
        infeasible: how many of these break a constraint.
        answer: encoding of the best network; None where there is none.
        steps: number of proposals of any kind.
        own_seconds: processor time that the strategy spent in `ask` and `tell`.
    """

    best: Floats
    seconds: Floats
    trained: float
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
    goal: float = math.inf,
) -> Search:
    """Search until `queries` full trainings or `budget_s` are spent, nothing new comes, or the strategy ends.

    One proposal is under way at a time, and what counts is what counts in a run (`hwnas.search.spending`): a
    network counts once, one that is trained for a part counts that part, in queries and in seconds, and
    scores count nothing. The constraints' metrics are known before training: a network that breaks one is
    not trained, unless the strategy wants its value; it then counts, and is never the answer. A training that
    would end after either budget is not begun and ends the search, as in the experiments of NAS-Bench-201.
    It also ends where `goal` is found: with the optimum, nothing that is compared can change any more.

    Raises:
        ValueError: the strategy refuses its settings, or asks for what is not recorded.
    """
    strategy = contestant.make(recorded.space, objective, seed)
    strategy.check(recorded.metrics)
    strategy.screen = Screen(objective, recorded.metrics)
    laboratory = _Laboratory(recorded, objective, contestant, strategy, queries, budget_s, goal)
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
        strategy: Strategy,
        queries: int,
        budget_s: float,
        goal: float,
    ) -> None:
        self._recorded, self._objective = recorded, objective
        self._trains_infeasible = strategy.trains_infeasible
        wanted = [*(one.metric for one in objective.constraints), *contestant.proxies]
        self._cheap = [recorded.metrics[name] for name in dict.fromkeys(wanted) if name in recorded.metrics]
        self._seconds = recorded.metrics.get(SECONDS)
        self._spending = Spending(objective.maximize)
        self._queries = queries
        self._budget_s, self._spent_s = budget_s, 0.0
        self._is_spent, self._goal = False, goal
        self._best, self._spent = np.full(queries, math.nan), np.full(queries, math.nan)
        self._answer: tuple[int, ...] | None = None
        self._greatest = -math.inf
        self._steps = self._proposals = self._infeasible = 0
        for fidelity in strategy.fidelities:
            self._named(at_fidelity(objective.maximize, fidelity))

    @property
    def is_done(self) -> bool:
        """Whether the goal is found, enough is trained, or nothing new was for too long."""
        is_full = self._spending.reaches(self._queries) or self._is_spent
        return is_full or self._greatest >= self._goal or self._spending.idle >= MOST_IDLE

    def evaluate(self, proposal: Proposal) -> dict[str, float]:
        """The metrics that a run would tell."""
        self._steps += 1
        encoding, asked = proposal.architecture.encoding, proposal.maximize
        metrics = {one.name: value for one in self._cheap if not math.isnan(value := one.at(encoding))}
        metric, price = self._named(asked), self._spending.price(asked)
        is_feasible = self._objective.violation(metrics) == 0
        self._proposals += price > 0
        self._infeasible += price > 0 and not is_feasible
        if price and not (is_feasible or self._trains_infeasible):
            self._spending.count(encoding, asked, is_evaluated=False)
            return metrics
        value = metric.at(encoding)
        if not self._spend(encoding, asked):
            return metrics
        if price == 1 and is_feasible and value > self._greatest:
            self._answer, self._greatest = encoding, value
            self._best[self._place() :] = value
        if not math.isnan(value):
            metrics[asked] = value
        return metrics

    def _named(self, asked: str) -> RecordedMetric:
        """The metric of that name; raises ValueError where it is not recorded."""
        known = self._recorded.metrics
        if asked not in known:
            raise ValueError(f"it asks for {asked}, which is not recorded; recorded: {', '.join(known)}")
        return known[asked]

    def _spend(self, encoding: tuple[int, ...], asked: str) -> bool:
        """Count an evaluation; where it would overrun a budget, it is not begun and the search is over."""
        cost = self._spending.cost(encoding, asked)
        spent_s = self._spent_s + (cost * self._seconds_of(encoding) if cost else 0.0)
        if not self._spending.has_room(cost, self._queries) or spent_s > self._budget_s:
            self._is_spent = True
            return False
        self._spending.count(encoding, asked, is_evaluated=True)
        if cost:
            self._spent_s = self._spent[self._place()] = spent_s
        return True

    def _seconds_of(self, encoding: tuple[int, ...]) -> float:
        return self._seconds.at(encoding) if self._seconds else math.nan

    def _place(self) -> int:
        """In which full training, from 0, the last training ended."""
        return self._spending.begun - 1

    def search(self, own_seconds: float) -> Search:
        """What was done."""
        return Search(
            self._best,
            self._spent,
            self._spending.trainings,
            self._proposals,
            self._infeasible,
            self._answer,
            self._steps,
            own_seconds,
        )
