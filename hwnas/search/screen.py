"""The cheap constraints as a test that a strategy may put its candidates to before it proposes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hwnas.objectives import Metric, Objective
from hwnas.spaces import Architecture


@dataclass(frozen=True)
class Screen:
    """How far architectures are from keeping the constraints whose metrics are not expensive."""

    objective: Objective
    metrics: Mapping[str, Metric]

    def violation(self, architecture: Architecture) -> float:
        """Sum of the relative violations, 0 where all are kept; infinite where a metric raises an exception.

        That exception is recorded once such an architecture is proposed nevertheless.
        """
        total = 0.0
        for constraint in self.objective.constraints:
            metric = self.metrics[constraint.metric]
            if metric.expensive:
                continue
            try:
                total += constraint.violation(metric(architecture))
            except Exception:  # a user's metric may raise anything
                return float("inf")
        return total
