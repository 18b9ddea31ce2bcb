"""Evaluations with a time limit: in a process of their own, which is ended when one takes longer."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
import time
import traceback
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import Any

from hwnas.executors import follow_parent
from hwnas.search.evaluate import Outcome, Task, unpacked
from hwnas.search.loading import load_metrics

START_SECONDS = 300.0
"""How long a process may take to start, and to import and load what the metrics need; no trial's time."""
IDLE_SECONDS = 60.0
"""After so long without a task a process ends: nothing tells it that the search on a cluster is over."""
KILLS = 2
"""So many times a trial's process is killed before the trial has failed."""


@dataclass(frozen=True)
class LimitedTask:
    """A task that may take `limit` seconds; runs in a child of whatever process it is called in."""

    task: Task
    limit: float

    def __call__(self) -> Outcome:
        """The outcome; a failed one, with the metrics known so far, after the limit or `KILLS` kills.

        Raises:
            Exception: what the evaluation raised.
            OSError: the process cannot be started.
        """
        started = time.perf_counter()
        killed = _Ended({}, "")
        for _ in range(KILLS):
            found = _process(self.task.evaluator).evaluate(self.task, self.limit)
            if isinstance(found, Outcome):
                return found
            end_process()
            if found.is_late:
                return self._failed(found, started)
            killed = found
        return self._failed(replace(killed, why=f"{killed.why} {KILLS} times"), started)

    def _failed(self, ended: _Ended, started: float) -> Outcome:
        evaluator = unpacked(self.task.evaluator)
        return evaluator.outcome(self.task.maximize, ended.values, ended.why, time.perf_counter() - started)


@dataclass(frozen=True)
class _Ended:
    """How a process ended before it gave an outcome, and the values it had by then."""

    values: Mapping[str, float]
    why: str
    is_late: bool = False


class _TrialProcess:
    """A process that evaluates one task after the other; the processes that metrics start end with it.

    Raises:
        OSError: it does not start.
        Exception: what unpacking the evaluator or loading its metrics raised.
    """

    def __init__(self, evaluator: bytes) -> None:
        self.evaluator = evaluator
        # Some pools, dask's among them, mark their workers as processes that have no children.
        if multiprocessing.current_process().daemon:
            multiprocessing.current_process().daemon = False
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, evaluator, IDLE_SECONDS), daemon=True)
        self._process.start()
        theirs.close()
        try:
            if not self._connection.poll(START_SECONDS):
                raise OSError(f"the process for trials did not start within {START_SECONDS:.0f} s")
            self._received()
        except EOFError:
            self.end()
            raise OSError("the process for trials ended while it started") from None
        except BaseException:
            self.end()
            raise

    @property
    def is_alive(self) -> bool:
        return self._process.is_alive()

    def evaluate(self, task: Task, limit: float) -> Outcome | _Ended:
        """The outcome, or how the process ended instead; it is to be replaced then."""
        values: Mapping[str, float] = {}
        until = time.monotonic() + limit
        try:
            self._connection.send((task.encoding, task.maximize))
            while self._connection.poll(max(0.0, until - time.monotonic())):
                received = self._received()
                if isinstance(received, Outcome):
                    return received
                values = received
        except (EOFError, ConnectionError):
            self._process.join()
            self._kill_group()
            return _Ended(values, f"its process was killed (exit code {self._process.exitcode})")
        return _Ended(values, f"took longer than {limit:g} s, the limit for a trial", is_late=True)

    def end(self) -> None:
        """End it, whatever it does."""
        if self._process.is_alive():
            self._kill_group()
            self._process.kill()  # it may not lead its group yet
        self._process.join()
        self._connection.close()

    def _kill_group(self) -> None:
        assert self._process.pid is not None
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def _received(self) -> Any:
        content = self._connection.recv()
        if isinstance(content, _Raised):
            raise content.error from RuntimeError(content.trace)
        return content


_here = threading.local()


def _process(evaluator: bytes) -> _TrialProcess:
    """The process of this thread, started where there is none for that evaluator."""
    present: _TrialProcess | None = getattr(_here, "process", None)
    if present is not None and (present.evaluator != evaluator or not present.is_alive):
        end_process()
        present = None
    if present is None:
        present = _here.process = _TrialProcess(evaluator)
    return present


def end_process() -> None:
    """End the process that this thread evaluates in, if there is one."""
    present: _TrialProcess | None = getattr(_here, "process", None)
    if present is not None:
        _here.process = None
        present.end()


@dataclass(frozen=True)
class _Raised:
    error: Exception
    trace: str


def _serve(connection: Connection[Any, Any], evaluator: bytes, idle: float) -> None:
    """In the child: answer each task with the values as they come, then the outcome or what was raised.

    It ends with the connection, or after `idle` seconds without a task.
    """
    os.setpgid(0, 0)
    follow_parent(_end_group)
    try:
        evaluate = unpacked(evaluator)
        load_metrics(evaluate.metrics, evaluate.space)
        connection.send(None)
    except Exception as error:
        _send_raised(connection, error)
        return
    while connection.poll(idle):
        try:
            encoding, maximize = connection.recv()
        except EOFError:
            return
        try:
            architecture = evaluate.space.from_encoding(encoding)
            found = evaluate(architecture, maximize, lambda values: connection.send(dict(values)))
        except Exception as error:
            _send_raised(connection, error)
        else:
            connection.send(found)


def _end_group() -> None:
    """End this process and those that its metrics started."""
    os.killpg(0, signal.SIGKILL)


def _send_raised(connection: Connection[Any, Any], error: Exception) -> None:
    """Hand an exception to the parent, as plain text where it cannot travel."""
    trace = traceback.format_exc()
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        error = RuntimeError(f"{type(error).__name__}: {error}")
    connection.send(_Raised(error, trace))
