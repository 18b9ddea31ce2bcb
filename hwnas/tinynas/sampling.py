"""Networks drawn from one space, and what is kept of them: numbers alone, so that memory stays flat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hwnas.cost import count
from hwnas.network.network import Network
from hwnas.objectives import Metric, MetricError
from hwnas.spaces import Architecture, SearchSpace
from hwnas.tinynas.limit import Limit

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Nearest:
    """The network that comes nearest to the limits: its architecture, and the metrics that are known of it.

    `violation` is the sum over the limits of the fraction by which each is exceeded.
    """

    space: str
    architecture: str
    metrics: dict[str, float]
    violation: float


@dataclass(frozen=True, eq=False)
class Draws:
    """What is known of `drawn` networks of a space.

    Attributes:
        drawn: how many.
        macs: `[satisfying]`, of those within all limits, in the order in which they were drawn.
        excluded: for each limit, how many exceed it. A limit on an expensive metric is asked of those alone
            that keep to the others.
        nearest: where none satisfies the limits, the one that comes nearest.
    """

    drawn: int
    macs: Floats
    excluded: tuple[int, ...]
    nearest: Nearest | None

    def __add__(self, other: Draws) -> Draws:
        nearest = [one for one in (self.nearest, other.nearest) if one is not None]
        return Draws(
            self.drawn + other.drawn,
            np.concatenate([self.macs, other.macs]),
            tuple(a + b for a, b in zip(self.excluded, other.excluded, strict=True)),
            None if len(nearest) < 2 else min(nearest, key=lambda one: one.violation),
        )


def draw(space: SearchSpace, name: str, limits: Sequence[Limit], n: int, seed: Sequence[int]) -> Draws:
    """Draw `n` networks of `space` independently: the same ones for the same seed.

    Args:
        space: what to draw from, by its own `random`.
        name: what the space is called.
        limits: those on expensive metrics last.
        n: at least 1.
        seed: any number of integers.

    Raises:
        ValueError: a metric is undefined for a network; the message names both.
    """
    generator = np.random.default_rng(seed)
    screens = [limit.screen or limit.metric for limit in limits]
    metrics = [limit.metric for limit in limits]
    macs: list[int] = []
    excluded = [0] * len(limits)
    nearest: tuple[Architecture, _Judgement] | None = None
    for _ in range(n):
        architecture = _Drawn.of(space.random(generator))
        judged = _judged(architecture, name, limits, screens)
        for position in judged.exceeded:
            excluded[position] += 1
        if not judged.exceeded:
            macs.append(count(architecture.network).whole.macs)
        elif not macs and (nearest is None or judged.violation < nearest[1].violation):
            judged = _judged(architecture, name, limits, metrics)
            if nearest is None or judged.violation < nearest[1].violation:
                nearest = architecture, judged
    found = None
    if not macs and nearest is not None:
        found = Nearest(name, str(nearest[0]), nearest[1].values, nearest[1].violation)
    return Draws(n, np.array(macs, dtype=np.float64), tuple(excluded), found)


class _Judgement(NamedTuple):
    """The metrics, the positions of the limits that are exceeded, and the sum of the violations."""

    values: dict[str, float]
    exceeded: list[int]
    violation: float


def _judged(
    architecture: Architecture, name: str, limits: Sequence[Limit], metrics: Sequence[Metric]
) -> _Judgement:
    values: dict[str, float] = {}
    exceeded: list[int] = []
    violation = 0.0
    for position, (limit, metric) in enumerate(zip(limits, metrics, strict=True)):
        if exceeded and metric.expensive:
            break
        try:
            value = values[limit.name] = metric(architecture)
        except MetricError as error:
            raise ValueError(f"{limit.name} of {architecture} in space {name}: {error}") from error
        if not value <= limit.bound:
            exceeded.append(position)
            violation += limit.constraint.violation(value)
    return _Judgement(values, exceeded, violation)


class _Drawn(Architecture):
    """An architecture that makes its network once, for all metrics."""

    __slots__ = ("_network",)
    _network: Network | None

    @classmethod
    def of(cls, architecture: Architecture) -> _Drawn:
        drawn = cls(architecture.space, architecture.encoding)
        drawn._network = None
        return drawn

    @property
    def network(self) -> Network:
        if self._network is None:
            self._network = self.space.network(self)
        return self._network
