"""Energy of a run: a meter's counter before and after a second of runs in a row. Standard library only."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

from hwnas.latency.timing.clocks import Clock
from hwnas.latency.timing.nvml import NvmlMeter
from hwnas.latency.timing.powercap import PowercapMeter

_BURST_SECONDS = 0.01
_PATIENCE_SECONDS = 5.0


class NoMeterError(Exception):
    """There is no counter that can be read; the message says why."""


class Meter(Protocol):
    """A counter of energy."""

    description: str
    """What it counts."""

    def read(self) -> tuple[int, ...]:
        """The counter, in units of its own; it may wrap around."""

    def joules(self, before: tuple[int, ...], after: tuple[int, ...]) -> float:
        """Energy between two readings, less than one turn of the counter apart."""


def open_meter(wanted: dict[str, str] | None) -> Meter:
    """The meter that a worker's config asks for: ``kind`` ``powercap`` with ``root``, ``nvml`` with ``uuid``.

    Raises:
        NoMeterError: there is none, or it cannot be read.
    """
    if wanted is None:
        raise NoMeterError("the device has no energy meter")
    try:
        return PowercapMeter(wanted["root"]) if wanted["kind"] == "powercap" else NvmlMeter(wanted["uuid"])
    except (OSError, ValueError, ImportError) as error:
        raise NoMeterError(str(error)) from error


def joules_per_run(
    meter: Meter,
    call: Callable[[], Any],
    clock: Clock,
    seconds: float,
    now: Callable[[], float] = time.perf_counter,
) -> float:
    """Energy of one run, idle power included, over at least ``seconds`` of runs in a row.

    The window begins and ends where the counter moves, so that a counter which is updated ten times a
    second is off by less than one of its steps. It is read between bursts of runs of 10 ms.

    Raises:
        ValueError: the counter does not move for 5 s.
    """
    burst = _burst(call, clock, now)
    _, before = _until_it_moves(meter, burst, now)
    start, runs = now(), 0
    while now() - start < seconds:
        runs += burst()
    more, after = _until_it_moves(meter, burst, now)
    return meter.joules(before, after) / (runs + more)


def _burst(call: Callable[[], Any], clock: Clock, now: Callable[[], float]) -> Callable[[], int]:
    """Runs of about 10 ms and the wait for their end; returns how many."""
    start = now()
    call()
    clock.wait()
    size = max(1, round(_BURST_SECONDS / max(now() - start, 1e-9)))

    def burst() -> int:
        for _ in range(size):
            call()
        clock.wait()
        return size

    return burst


def _until_it_moves(
    meter: Meter, burst: Callable[[], int], now: Callable[[], float]
) -> tuple[int, tuple[int, ...]]:
    """Runs until the counter has another value than now: how many, and the value."""
    first, start, runs = meter.read(), now(), 0
    while now() - start < _PATIENCE_SECONDS:
        runs += burst()
        reading = meter.read()
        if reading != first:
            return runs, reading
    raise ValueError(f"{meter.description}: the counter did not move in {_PATIENCE_SECONDS:g} s")
