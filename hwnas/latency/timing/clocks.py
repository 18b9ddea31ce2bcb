"""Clocks: how runs of a model become samples of wall and CPU time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

Call = Callable[[], object]
Samples = np.ndarray[Any, np.dtype[np.float64]]


class Clock(Protocol):
    """Times runs of a callable."""

    tick_ns: float
    """The smallest difference that it tells."""

    def samples(self, call: Call, count: int, together: int) -> Samples:
        """(2, count) nanoseconds of wall and CPU time; each sample is of ``together`` runs in a row."""

    def wait(self) -> None:
        """Return when everything that was started has ended."""


class HostClock:
    """The processor's clocks, for runtimes that compute while they are called.

    With one thread the CPU time is the calling thread's, in which the runtime computes; with more it is
    the whole process'.
    """

    def __init__(self, threads: int) -> None:
        self.tick_ns: float = _tick_ns()
        self._cpu_ns = time.thread_time_ns if threads == 1 else time.process_time_ns

    def samples(self, call: Call, count: int, together: int) -> Samples:
        """See `Clock.samples`."""
        times = np.empty((2, count))
        for i in range(count):
            cpu = self._cpu_ns()
            start = time.perf_counter_ns()
            for _ in range(together):
                call()
            times[0, i] = time.perf_counter_ns() - start
            times[1, i] = self._cpu_ns() - cpu
        return times

    def wait(self) -> None:
        """Everything has ended when a call returns."""


class Event(Protocol):
    """A mark in a device's stream of work, such as ``torch.cuda.Event(enable_timing=True)``."""

    def record(self) -> None:
        """Put the mark behind all work that was started."""

    def elapsed_time(self, later: Any) -> float:
        """Milliseconds from this mark to a later one, once both were passed."""


class EventClock:
    """Events in the stream of a device that works on while the host goes ahead (CUDA).

    A sample is the time between the events around it: what the device took, waiting for the host included
    where the host is slower. The CPU time is the host's, spread evenly over a chunk's samples.

    Args:
        event: makes a new event.
        wait: returns when the device has done all its work.
        tick_ns: resolution of the events; CUDA promises half a microsecond.
    """

    def __init__(self, event: Callable[[], Event], wait: Callable[[], object], tick_ns: float = 500) -> None:
        self.tick_ns = tick_ns
        self._event, self._wait = event, wait

    def samples(self, call: Call, count: int, together: int) -> Samples:
        """See `Clock.samples`."""
        marks = [(self._event(), self._event()) for _ in range(count)]
        self._wait()
        cpu = time.thread_time_ns()
        for before, after in marks:
            before.record()
            for _ in range(together):
                call()
            after.record()
        self._wait()
        cpu_ns = (time.thread_time_ns() - cpu) / count
        wall_ns = [1e6 * before.elapsed_time(after) for before, after in marks]
        return np.array([wall_ns, [cpu_ns] * count])

    def wait(self) -> None:
        """Wait for the device."""
        self._wait()


def _tick_ns() -> int:
    """Smallest step between two readings of the wall clock."""
    steps = []
    for _ in range(200):
        start = now = time.perf_counter_ns()
        while now == start:
            now = time.perf_counter_ns()
        steps.append(now - start)
    return min(steps)
