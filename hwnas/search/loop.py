"""The search loop: ask, evaluate, record, tell."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor

from hwnas.search.evaluate import Evaluator, Outcome
from hwnas.search.records import Trial
from hwnas.search.results import Results
from hwnas.search.store import CorruptRunError, TrialStore
from hwnas.search.strategy import Proposal, Strategy

# Proposals under way. A constant, and not the number of workers, so that a strategy knows the same
# results at each of its decisions whatever the number of workers.
AHEAD = 8

Progress = Callable[[Trial], None]


def run_loop(
    strategy: Strategy,
    evaluator: Evaluator,
    store: TrialStore,
    *,
    budget: int,
    executor: Executor | None = None,
    trial_seconds: float | None = None,
    progress: Progress | None = None,
) -> list[Trial]:
    """Trials of `strategy`, in order: `budget` of them, or fewer if it asks for no more.

    Those that the store holds are told, not run, again.

    A trial has failed where a metric says that it is undefined (`MetricError`) or gives NaN and, with a
    limit, where it takes longer than `trial_seconds` or its process is killed twice. Any other exception is a
    bug and stops the search; so does a killed worker of a process pool, which says nothing of the
    architecture that it had. What is recorded stays, and the same search goes on from there.

    Args:
        strategy: what asks and is told.
        evaluator: computes the metrics.
        store: of the trials.
        budget: number of trials.
        executor: where trials run; in this process where None.
        trial_seconds: limit of each; it then runs in a process that can be ended. None for no limit.
        progress: called with each trial.

    Raises:
        CorruptRunError: the recorded trials are not those that this strategy asks for.
        OSError: a worker was killed, or the disk takes no more.
    """
    rows = store.rows()
    results = Results(evaluator, executor, trial_seconds)
    waiting: deque[Proposal] = deque()
    asked = 0
    trials: list[Trial] = []
    try:
        while len(trials) < budget:
            while asked < budget and len(waiting) < AHEAD:
                proposal = strategy.ask()
                if proposal is None:
                    break
                if asked < len(rows):
                    results.remember(proposal, _replayed(store, *rows[asked], proposal))
                else:
                    results.start(proposal)
                waiting.append(proposal)
                asked += 1
            if not waiting:
                break
            proposal = waiting.popleft()
            number = len(trials)
            if number < len(rows):
                trial = rows[number][0]
            else:
                trial = _trial(number, proposal, results.take(proposal))
                store.add(trial, proposal.architecture.encoding, proposal.maximize)
            strategy.tell(proposal, trial.metrics)
            trials.append(trial)
            if progress is not None:
                progress(trial)
    finally:
        results.close()
    return trials


def _trial(number: int, proposal: Proposal, outcome: Outcome) -> Trial:
    return Trial(
        number,
        str(proposal.architecture),
        outcome.status,
        outcome.metrics,
        outcome.reason,
        outcome.seconds,
        proposal.maximize,
    )


def _replayed(
    store: TrialStore, trial: Trial, encoding: tuple[int, ...], maximize: str, proposal: Proposal
) -> Outcome:
    recorded = (trial.architecture, encoding, maximize)
    if recorded != (str(proposal.architecture), proposal.architecture.encoding, proposal.maximize):
        raise CorruptRunError(
            f"{store.path}: trial {trial.number} is {trial.architecture}, where this search asks for "
            f"{proposal.architecture}; the folder belongs to another search or version"
        )
    return Outcome(trial.status, trial.metrics, trial.reason, trial.seconds)
