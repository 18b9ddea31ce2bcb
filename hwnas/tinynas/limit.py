"""What a network must keep to: a metric, and the most that it may be."""

from __future__ import annotations

from dataclasses import dataclass

from hwnas.objectives import Constraint, Metric


@dataclass(frozen=True)
class Limit:
    """`metric` ≤ `bound`, the bound in the metric's unit.

    Attributes:
        metric: what is limited.
        bound: the most that it may be.
        screen: where there is one, a quicker form of the metric: equal up to the bound, and above it never
            more than the metric.

    Raises:
        ValueError: the bound is not a finite number above 0.
    """

    metric: Metric
    bound: float
    screen: Metric | None = None

    def __post_init__(self) -> None:
        Constraint(self.name, self.bound)

    @property
    def name(self) -> str:
        """Of the metric."""
        return self.metric.name

    @property
    def constraint(self) -> Constraint:
        """The same by name, without the metric."""
        return Constraint(self.name, self.bound)
