"""Circumstances of a measurement: what the machine did while it was measuring."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

_AND = "; "


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
        onnx_version: version of the library that wrote the models; several are joined by "; ".
        energy: the meter that energies were read from, or why there are none; joined likewise.
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
    energy: str


def combined(parts: Sequence[Environment]) -> Environment:
    """The circumstances of several groups as one: extremes of extremes, means of means, all texts."""
    quiet = [p.quiet_host for p in parts if p.quiet_host is not None]
    return Environment(
        utc_start=min(p.utc_start for p in parts),
        utc_end=max(p.utc_end for p in parts),
        quiet_host=all(quiet) if quiet else None,
        load_min=summary(min, _known([p.load_min for p in parts])),
        load_mean=summary(mean, _known([p.load_mean for p in parts])),
        load_max=summary(max, _known([p.load_max for p in parts])),
        steal_percent=summary(mean, _known([p.steal_percent for p in parts])),
        clock_mhz=summary(mean, _known([p.clock_mhz for p in parts])),
        wall_cpu_ratio=summary(mean, _known([p.wall_cpu_ratio for p in parts])),
        onnx_version=_joined([p.onnx_version for p in parts]),
        energy=_joined([p.energy for p in parts]),
    )


def _joined(texts: Sequence[str]) -> str:
    """Distinct texts in their order; those that are joined already are taken apart first."""
    return _AND.join(dict.fromkeys(one for text in texts for one in text.split(_AND)))


def summary(of: Callable[[list[float]], float], values: list[float]) -> float | None:
    """A summary of readings, rounded; None where the system gave none."""
    return round(of(values), 4) if values else None


def _known(values: list[float | None]) -> list[float]:
    return [v for v in values if v is not None]


def mean(values: list[float]) -> float:
    """Arithmetic mean of at least one value."""
    return sum(values) / len(values)
