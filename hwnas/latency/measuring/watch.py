"""Watch the machine while it measures: load, stolen time, clock, waiting."""

from __future__ import annotations

from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version

from hwnas.latency.tables.environment import Environment, mean, summary
from hwnas.latency.timing.host import HostReading
from hwnas.latency.timing.samples import Chunk

QUIET_LOAD = 0.3


class Watch:
    """Collects an `Environment` while a group is measured.

    Args:
        before: the machine before the measurement began.
    """

    def __init__(self, before: HostReading) -> None:
        self._start = utc_now()
        self._readings = [before]
        self._wall_us = 0.0
        self._cpu_us = 0.0

    def look(self, reading: HostReading) -> None:
        """Keep a reading; once in each round."""
        self._readings.append(reading)

    def add(self, chunk: Chunk) -> None:
        """Count a chunk's wall and CPU time."""
        self._wall_us += float(chunk.wall_us.sum())
        self._cpu_us += float(chunk.cpu_us.sum())

    def environment(self, energy: str) -> Environment:
        """What was seen up to now; `energy` is the meter, or why there is none."""
        before, *during = self._readings
        loads = [reading.load for reading in during if reading.load is not None]
        clocks = [reading.clock_mhz for reading in during if reading.clock_mhz is not None]
        return Environment(
            utc_start=self._start,
            utc_end=utc_now(),
            quiet_host=None if before.load is None else before.load < QUIET_LOAD,
            load_min=summary(min, loads),
            load_mean=summary(mean, loads),
            load_max=summary(max, loads),
            steal_percent=_steal_percent(before, self._readings[-1]),
            clock_mhz=summary(mean, clocks),
            wall_cpu_ratio=round(self._wall_us / self._cpu_us, 4) if self._cpu_us else None,
            onnx_version=_onnx_version(),
            energy=energy,
        )


def _steal_percent(first: HostReading, last: HostReading) -> float | None:
    ticks = (first.ticks, last.ticks, first.stolen_ticks, last.stolen_ticks)
    if None in ticks or first.ticks == last.ticks:
        return None
    return round(100 * (last.stolen_ticks - first.stolen_ticks) / (last.ticks - first.ticks), 3)  # type: ignore[operator]


def _onnx_version() -> str:
    """A remote runner has no onnx; its models come with the version that wrote them."""
    try:
        return version("onnx")
    except PackageNotFoundError:
        return "none"


def utc_now() -> str:
    """Now, as an ISO string in seconds."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
