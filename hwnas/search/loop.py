"""The search loop: ask, evaluate, record, tell."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Executor

from hwnas.search.evaluate import Evaluator, Outcome
from hwnas.search.records import Trial
from hwnas.search.results import Results
from hwnas.search.spending import Spending
from hwnas.search.store import CorruptRunError, Row, TrialStore
from hwnas.search.strategy import Proposal, Strategy

MOST_IDLE = 200
"""So many networks in turn that are known or over a bound end a search."""
MOST_RAISED = 10
"""So many exceptions of metrics without a complete trial in between end it: a bug, and not the networks'."""

Progress = Callable[[Trial], None]


class BrokenMetricError(ValueError):
    """A metric raises exceptions again and again; the message has the last one."""


def run_loop(
    strategy: Strategy,
    evaluator: Evaluator,
    store: TrialStore,
    *,
    budget: float,
    ahead: int = 1,
    executor: Executor | None = None,
    trial_seconds: float | None = None,
    progress: Progress | None = None,
) -> list[Trial]:
    """Trials of `strategy`, in order, until they have cost `budget` or nothing new comes of them.

    Those that the store holds are told, not run, again.

    A trial has failed where a metric raises an exception (`MetricError` where it is undefined) or gives a
    value that cannot be compared and, with a limit, where it takes longer than `trial_seconds` or its process
    is killed twice. A killed worker of a process pool says nothing of the architecture that it had, and stops
    the search. What is recorded stays, and the same search goes on from there.

    Args:
        strategy: what asks and is told.
        evaluator: computes the metrics.
        store: of the trials.
        budget: of networks evaluated by the objective's metric, see `Spending`; a training that would overrun
            it is not begun. The search also ends after
            `MOST_IDLE` proposals in turn that are known or over a bound, and when the strategy asks for
            no more.
        ahead: how many proposals are under way; the strategy decides on each without the results of the
            others.
        executor: where trials run; in this process where None.
        trial_seconds: limit of each; it then runs in a process that can be ended. None for no limit.
        progress: called with each trial.

    Raises:
        CorruptRunError: the recorded trials are not those that this strategy asks for.
        BrokenMetricError: metrics raise exceptions, see `MOST_RAISED`.
        OSError: a worker was killed, or the disk takes no more.
    """
    rows = store.rows()
    results = Results(evaluator, executor, trial_seconds)
    spending = Spending(evaluator.objective.maximize)
    waiting: deque[Proposal] = deque()
    trials: list[Trial] = []
    raised = 0
    try:
        while not spending.reaches(budget) and spending.idle < MOST_IDLE:
            while len(waiting) < ahead and (proposal := strategy.ask()) is not None:
                waiting.append(proposal)
            if not (waiting and spending.has_room(_cost(waiting[0], spending), budget)):
                break
            recorded = max(0, len(rows) - len(trials))
            for proposal in _affordable(waiting, spending, budget)[recorded:]:
                results.start(proposal)
            proposal = waiting.popleft()
            number = len(trials)
            if number < len(rows):
                trial = _checked(store, rows[number], proposal)
                told = Outcome(trial.status, trial.metrics, trial.reason, trial.seconds, trial.lost)
                results.remember(proposal, told)
            else:
                outcome = results.take(proposal)
                raised = 0 if outcome.status == "complete" else raised + outcome.raised
                trial = _trial(number, proposal, outcome)
                store.add(trial, proposal.architecture.encoding)
            strategy.tell(proposal, trial.metrics)
            spending.add(trial)
            trials.append(trial)
            if progress is not None:
                progress(trial)
            if raised == MOST_RAISED:
                raise BrokenMetricError(
                    f"{raised} trials have failed since one was complete, the last: {trial.reason}; mend the "
                    "metric, and the same search goes on"
                )
    finally:
        results.close()
    return trials


def _affordable(waiting: Iterable[Proposal], spending: Spending, budget: float) -> list[Proposal]:
    """Those whose turn comes for sure before the budget is spent, whatever the others cost."""
    found: list[Proposal] = []
    before = 0.0
    for proposal in waiting:
        cost = _cost(proposal, spending)
        if spending.reaches(budget, before) or not spending.has_room(before + cost, budget):
            break
        found.append(proposal)
        before += cost
    return found


def _cost(proposal: Proposal, spending: Spending) -> float:
    """What evaluating it costs at most: nothing where it turns out to be infeasible."""
    return spending.cost(str(proposal.architecture), proposal.maximize)


def _trial(number: int, proposal: Proposal, outcome: Outcome) -> Trial:
    return Trial(
        number,
        str(proposal.architecture),
        outcome.status,
        outcome.metrics,
        outcome.reason,
        outcome.seconds,
        proposal.maximize,
        outcome.lost,
    )


def _checked(store: TrialStore, row: Row, proposal: Proposal) -> Trial:
    """The recorded trial, if it is what is proposed now."""
    trial, encoding = row
    recorded = (trial.architecture, encoding, trial.asked)
    if recorded != (str(proposal.architecture), proposal.architecture.encoding, proposal.maximize):
        raise CorruptRunError(
            f"{store.path}: trial {trial.number} is {trial.architecture}, where this search asks for "
            f"{proposal.architecture}; the folder belongs to another search or version"
        )
    return trial
