"""What the machine did while it was measuring: load, stolen time, clock, waiting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib.metadata import version

from hwnas.latency import host
from hwnas.latency.device import Chunk

QUIET_LOAD = 0.3


@dataclass(frozen=True)
class Environment:
    """Circumstances of a measurement. None: the system does not tell.

    Attributes:
        utc_start: ISO time of the first round.
        utc_end: ISO time of the last round.
        quiet_host: load average below 0.3 before the measurement began.
        load_min: load average of the last minute, least over the rounds (own load included).
        load_mean: the same, mean.
        load_max: the same, largest.
        steal_percent: share of the cores' time that the hypervisor took.
        clock_mhz: mean clock.
        wall_cpu_ratio: wall time / CPU time of all samples; 1 with one undisturbed thread.
        onnx_version: version of the library that wrote the models.
    """

    utc_start: str
    utc_end: str
    quiet_host: bool | None
    load_min: float | None
    load_mean: float | None
    load_max: float | None
    steal_percent: float | None
    clock_mhz: float | None
    wall_cpu_ratio: float | None
    onnx_version: str


class Watch:
    """Collects an `Environment` while a group is measured."""

    def __init__(self, load_before: float | None) -> None:
        self._load_before = load_before
        self._start = utc_now()
        self._ticks = host.processor_ticks()
        self._loads: list[float] = []
        self._clocks: list[float] = []
        self._wall_us = 0.0
        self._cpu_us = 0.0

    def look(self) -> None:
        """Read load and clock; once in each round."""
        for reading, kept in ((host.load_average(), self._loads), (host.clock_mhz(), self._clocks)):
            if reading is not None:
                kept.append(reading)

    def add(self, chunk: Chunk) -> None:
        """Count a chunk's wall and CPU time."""
        self._wall_us += float(chunk.wall_us.sum())
        self._cpu_us += float(chunk.cpu_us.sum())

    def environment(self) -> Environment:
        """What was seen up to now."""
        return Environment(
            utc_start=self._start,
            utc_end=utc_now(),
            quiet_host=None if self._load_before is None else self._load_before < QUIET_LOAD,
            load_min=_of(min, self._loads),
            load_mean=_of(_mean, self._loads),
            load_max=_of(max, self._loads),
            steal_percent=self._steal_percent(),
            clock_mhz=_of(_mean, self._clocks),
            wall_cpu_ratio=round(self._wall_us / self._cpu_us, 4) if self._cpu_us else None,
            onnx_version=version("onnx"),
        )

    def _steal_percent(self) -> float | None:
        now = host.processor_ticks()
        if now is None or self._ticks is None or now[1] == self._ticks[1]:
            return None
        return round(100 * (now[0] - self._ticks[0]) / (now[1] - self._ticks[1]), 3)


def combined(parts: Sequence[Environment]) -> Environment:
    """The circumstances of several groups as one: extremes of extremes, means of means."""
    quiet = [p.quiet_host for p in parts if p.quiet_host is not None]
    return Environment(
        utc_start=min(p.utc_start for p in parts),
        utc_end=max(p.utc_end for p in parts),
        quiet_host=all(quiet) if quiet else None,
        load_min=_of(min, _known([p.load_min for p in parts])),
        load_mean=_of(_mean, _known([p.load_mean for p in parts])),
        load_max=_of(max, _known([p.load_max for p in parts])),
        steal_percent=_of(_mean, _known([p.steal_percent for p in parts])),
        clock_mhz=_of(_mean, _known([p.clock_mhz for p in parts])),
        wall_cpu_ratio=_of(_mean, _known([p.wall_cpu_ratio for p in parts])),
        onnx_version=parts[-1].onnx_version,
    )


def utc_now() -> str:
    """Now, as an ISO string in seconds."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def _of(summary: Callable[[list[float]], float], values: list[float]) -> float | None:
    return round(summary(values), 4) if values else None


def _known(values: list[float | None]) -> list[float]:
    return [v for v in values if v is not None]


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
