"""From the samples of several passes to the statistics of an entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwnas.latency.timing.protocol import Protocol


@dataclass(frozen=True)
class Chunk:
    """Times of consecutive runs of one model, each of shape (count,), in microseconds."""

    wall_us: NDArray[np.float64]
    cpu_us: NDArray[np.float64]


@dataclass(frozen=True)
class Statistics:
    """Times in microseconds; see `hwnas.latency.tables.entry.Entry`."""

    n: int
    min_us: float
    p10_us: float
    p50_us: float
    p90_us: float
    mean_us: float
    cpu_p10_us: float
    pass_ratio: float


def p10(times: NDArray[np.float64]) -> float:
    """10th percentile of times of shape (n,)."""
    return float(np.percentile(times, 10))


def join(chunks: Sequence[Chunk]) -> Chunk:
    """One chunk with all the samples, in order."""
    return Chunk(np.concatenate([c.wall_us for c in chunks]), np.concatenate([c.cpu_us for c in chunks]))


def pass_ratio(passes: Sequence[Chunk]) -> float:
    """10th percentile of passes 1, 3, 5, ... divided by that of passes 2, 4, 6, ...; at least two passes."""
    return p10(join(passes[0::2]).wall_us) / p10(join(passes[1::2]).wall_us)


def agree(passes: Sequence[Chunk], protocol: Protocol) -> bool:
    """Whether the 10th percentiles of odd and even passes agree within tolerance or resolution."""
    odd, even = p10(join(passes[0::2]).wall_us), p10(join(passes[1::2]).wall_us)
    return abs(odd / even - 1) < protocol.tolerance or abs(odd - even) < protocol.resolution_us


def statistics(passes: Sequence[Chunk]) -> Statistics:
    """Statistics over the samples of all passes, rounded to a nanosecond."""
    every = join(passes)
    low, tenth, middle, ninetieth = np.percentile(every.wall_us, [0, 10, 50, 90])
    times = (low, tenth, middle, ninetieth, every.wall_us.mean(), p10(every.cpu_us))
    low, tenth, middle, ninetieth, mean, cpu = (round(float(t), 3) for t in times)
    ratio = round(pass_ratio(passes), 5)
    return Statistics(every.wall_us.size, low, tenth, middle, ninetieth, mean, cpu, ratio)
