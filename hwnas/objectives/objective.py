"""What a search is for: a metric to maximise, subject to constraints."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from hwnas.objectives.constraint import Constraint


class Fitness(NamedTuple):
    """Orders architectures: feasible before infeasible before undefined, then by score.

    `rank` is 2 for feasible ones, 1 where a constraint is violated, 0 where a value is missing or NaN;
    `score` is the maximised metric, or minus the total violation.
    """

    rank: int
    score: float


@dataclass(frozen=True)
class Objective:
    """Maximise `maximize` subject to `constraints`."""

    maximize: str
    constraints: tuple[Constraint, ...] = ()

    def violation(self, metrics: Mapping[str, float]) -> float:
        """Sum of the relative violations of the constraints whose metrics are known."""
        return sum(c.violation(metrics[c.metric]) for c in self.constraints if c.metric in metrics)

    def is_feasible(self, metrics: Mapping[str, float]) -> bool:
        """Whether every constraint is known to hold."""
        return all(c.metric in metrics and metrics[c.metric] <= c.bound for c in self.constraints)

    def fitness(self, metrics: Mapping[str, float], maximize: str | None = None) -> Fitness:
        """How good an architecture with these metrics is, by `maximize` where it is another metric."""
        violation = self.violation(metrics)
        if violation > 0:
            return Fitness(1, -violation) if math.isfinite(violation) else Fitness(0, 0.0)
        value = metrics.get(maximize or self.maximize, math.nan)
        if math.isnan(value) or not self.is_feasible(metrics):
            return Fitness(0, 0.0)
        return Fitness(2, value)
