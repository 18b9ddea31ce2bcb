"""A whole search space whose metrics are known: looking an architecture up takes no time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import mul

import numpy as np
from numpy.typing import NDArray

from hwnas.objectives import Metric, MetricError, Objective
from hwnas.objectives.shortfall import shortfall
from hwnas.search.fidelity import at_fidelity, split
from hwnas.search.metrics import COUNTS, CountMetric, more_is_better
from hwnas.spaces import Architecture, SearchSpace

SECONDS = "seconds"
"""Name of the metric that tells how long the training of an architecture took, where it is recorded."""

_NAMED = 3

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RecordedMetric:
    """A metric whose value is known for every architecture, or for most of them.

    Attributes:
        name: see `hwnas.objectives.Metric`, also for the next three.
        values: `[combinations]` of the space's choices, in the order of their mixed-radix number; NaN where
            it is unknown or the combination is not valid.
    """

    name: str
    unit: str
    higher_is_better: bool
    expensive: bool
    values: Floats
    strides: tuple[int, ...]

    def at(self, encoding: Sequence[int]) -> float:
        """The value of the architecture with this encoding; NaN where it is unknown."""
        return float(self.values.item(sum(map(mul, encoding, self.strides))))

    def __call__(self, architecture: Architecture) -> float:
        """The value; raises MetricError where it is unknown."""
        value = self.at(architecture.encoding)
        if math.isnan(value):
            raise MetricError(f"{self.name} is not recorded for {architecture}")
        return value


@dataclass(frozen=True, eq=False)
class RecordedSpace:
    """A space with the recorded metrics of all its architectures, by name."""

    space: SearchSpace
    metrics: Mapping[str, RecordedMetric]

    @cached_property
    def is_architecture(self) -> NDArray[np.bool_]:
        """`[combinations]`: which of them are valid."""
        sizes = [len(choices) for choices in self.space.choices]
        found = np.zeros(math.prod(sizes), dtype=bool)
        found[_rows(self.space, list(self.space))] = True
        return found

    def rows(self, architectures: Sequence[Architecture]) -> NDArray[np.int64]:
        """`[n]`: the places of architectures among the combinations."""
        return _rows(self.space, architectures)

    def feasible(self, objective: Objective) -> NDArray[np.bool_]:
        """`[combinations]`: which are valid and keep all constraints."""
        held = [self.metrics[one.metric].values <= one.bound for one in objective.constraints]
        kept: NDArray[np.bool_] = np.all([self.is_architecture, *held], axis=0)
        return kept

    def coverage(self, name: str) -> float:
        """The share of the architectures for which a metric is known."""
        return float(np.mean(np.isfinite(self.metrics[name].values[self.is_architecture])))

    def most_within(self, objective: Objective, name: str, budget: float) -> int:
        """How many different architectures that keep the constraints a budget of a metric's sum allows."""
        costs = np.sort(self.metrics[name].values[self.feasible(objective)])
        return int(np.searchsorted(np.cumsum(costs), budget, side="right"))

    def optimum(self, objective: Objective) -> float:
        """The best value of the objective's metric within the constraints.

        Raises:
            ValueError: nothing keeps the constraints; says what is nearest.
        """
        feasible = self.feasible(objective)
        values = self.metrics[objective.maximize].values
        if feasible.any():
            return float(values[feasible].max())
        bounded = {one.metric: self.metrics[one.metric] for one in objective.constraints}
        excess = sum(
            np.maximum(0, bounded[one.metric].values / one.bound - 1) for one in objective.constraints
        )
        nearest = int(np.nanargmin(np.where(self.is_architecture, excess, np.nan)))
        known = {name: float(metric.values[nearest]) for name, metric in bounded.items()}
        units = {name: metric.unit for name, metric in bounded.items()}
        raise ValueError(
            f"no architecture keeps all constraints; the nearest has "
            f"{shortfall(objective.constraints, units, known)}"
        )


def recorded_space(
    space: SearchSpace, objective: Objective, metrics: Mapping[str, Metric], also_needed: Sequence[str] = ()
) -> RecordedSpace:
    """Look up every architecture of the space once.

    Args:
        space: small enough to be enumerated.
        objective: its metric counts as expensive, all others as cheap. Its metric and those of the
            constraints must be known everywhere.
        metrics: by name; those after a part of the training as `accuracy@0.06`.
        also_needed: names of other metrics that must be known everywhere.

    Raises:
        ValueError: the space is too large, a needed metric is missing, is unknown for some architecture,
            which the message names, a value is infinite, a cost (a constrained metric, or `seconds`) is
            negative, or the metric to maximise is one of which less is better.
    """
    bounded = [one.metric for one in objective.constraints]
    needed = [objective.maximize, *bounded, *also_needed]
    costs = {*bounded, SECONDS}
    for name in needed:
        if name not in metrics:
            raise ValueError(f"metric {name} is not given; given: {', '.join(metrics)}")
    if not more_is_better(metrics[objective.maximize]):
        raise ValueError(f"less is better of {objective.maximize}: it cannot be maximised")
    architectures = list(space)
    rows = _rows(space, architectures)
    found = {}
    for given, metric in metrics.items():
        base, fidelity = split(given)
        name = at_fidelity(base, fidelity)
        values = [_value(metric, one) for one in architectures]
        _check_values(values, architectures, name, is_cost=name in costs)
        unknown = [one for one, value in zip(architectures, values, strict=True) if math.isnan(value)]
        if unknown and given in needed:
            raise ValueError(
                f"{name} is not recorded for {len(unknown):,} of the {len(architectures):,} architectures of "
                f"space {space}: {', '.join(map(str, unknown[:_NAMED]))}{', ...' * (len(unknown) > _NAMED)}"
            )
        if len(unknown) == len(architectures):
            raise ValueError(f"{name} is not recorded for any architecture of space {space}")
        column = np.full(math.prod(len(choices) for choices in space.choices), np.nan)
        column[rows] = values
        found[name] = RecordedMetric(
            name, metric.unit, metric.higher_is_better, base == objective.maximize, column, _strides(space)
        )
    return RecordedSpace(space, found)


def counted(names: Sequence[str]) -> dict[str, Metric]:
    """Counts such as `params` as metrics by name; raises ValueError naming those that exist."""
    for name in names:
        if name not in COUNTS:
            raise ValueError(f"{name} is no file and no count; counts: {', '.join(COUNTS)}")
    return {name: CountMetric(name) for name in names}


def _value(metric: Metric, architecture: Architecture) -> float:
    try:
        return float(metric(architecture))
    except MetricError:
        return math.nan


def _check_values(
    values: Sequence[float], architectures: Sequence[Architecture], name: str, *, is_cost: bool
) -> None:
    """Raise ValueError naming the first architecture of an infinite value or of a negative cost."""
    for one, value in zip(architectures, values, strict=True):
        if math.isinf(value):
            raise ValueError(f"{name} must be a finite number, not {value} as for {one}")
        if is_cost and value < 0:
            raise ValueError(f"{name} is a cost, so it must be at least 0, not {value:g} as for {one}")


def _strides(space: SearchSpace) -> tuple[int, ...]:
    sizes = [len(choices) for choices in space.choices]
    return tuple(math.prod(sizes[position + 1 :]) for position in range(len(sizes)))


def _rows(space: SearchSpace, architectures: Sequence[Architecture]) -> NDArray[np.int64]:
    rows: NDArray[np.int64] = space.integers(architectures) @ np.array(_strides(space), dtype=np.int64)
    return rows
