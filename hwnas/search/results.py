"""Outcomes by what was evaluated: nothing is computed twice, wherever it runs."""

from __future__ import annotations

from concurrent.futures import Executor, Future
from dataclasses import replace

from hwnas.executors import InlineExecutor, outcome_of
from hwnas.search.evaluate import Evaluator, Outcome, Task, packed
from hwnas.search.limited import LimitedTask, end_process
from hwnas.search.strategy import Proposal

Key = tuple[tuple[int, ...], str]


class Results:
    """Starts evaluations and hands out their outcomes.

    With an executor evaluations start when they are announced; without one they run when taken. With a limit
    in seconds each runs in a process that is ended when it takes longer, wherever it was started.
    """

    def __init__(self, evaluator: Evaluator, executor: Executor | None, limit: float | None = None) -> None:
        self._evaluator = evaluator
        self._executor = None if isinstance(executor, InlineExecutor) else executor
        self._limit = limit
        self._blob = packed(evaluator) if self._executor or limit else b""
        self._known: dict[Key, Outcome] = {}
        self._running: dict[Key, Future[Outcome]] = {}

    def remember(self, proposal: Proposal, outcome: Outcome) -> None:
        """Take an outcome from an earlier run."""
        self._known.setdefault(_key(proposal), outcome)

    def start(self, proposal: Proposal) -> None:
        """Announce that the outcome of `proposal` will be taken."""
        key = _key(proposal)
        if self._executor and key not in self._known and key not in self._running:
            self._running[key] = self._executor.submit(self._task(key))

    def take(self, proposal: Proposal) -> Outcome:
        """The outcome; it took no time if it was known already."""
        key = _key(proposal)
        if key in self._known:
            return replace(self._known[key], seconds=0.0)
        if key in self._running:
            outcome = outcome_of(self._running.pop(key))
        elif self._limit:
            outcome = self._task(key)()
        else:
            outcome = self._evaluator(proposal.architecture, proposal.maximize)
        self._known[key] = outcome
        return outcome

    def close(self) -> None:
        """Give up what has not begun, and end this thread's process."""
        for future in self._running.values():
            future.cancel()
        end_process()

    def _task(self, key: Key) -> Task | LimitedTask:
        task = Task(self._blob, *key)
        return LimitedTask(task, self._limit) if self._limit else task


def _key(proposal: Proposal) -> Key:
    return proposal.architecture.encoding, proposal.maximize
