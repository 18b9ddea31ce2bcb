"""Constraints: a metric and its upper bound."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from hwnas.objectives.quantity import parse_quantity

_FORM = re.compile(r"^\s*([A-Za-z_][A-Za-z0-9_]*)\s*(<=|≤|<|>=|>|==|=)\s*(.*?)\s*$")


@dataclass(frozen=True)
class Constraint:
    """`metric` ≤ `bound`, the bound in the metric's unit."""

    metric: str
    bound: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.bound):
            raise ValueError(f"the bound of {self.metric} must be a finite number, not {self.bound}")
        if self.bound <= 0:
            raise ValueError(f"the bound of {self.metric} must be above 0, not {self.bound:g}")

    @classmethod
    def parse(cls, text: str, units: Mapping[str, str]) -> Constraint:
        """Read `latency_ms <= 5` or `latency_ms <= 5ms`; `units` gives the unit of each known metric.

        Raises:
            ValueError: malformed, an unknown metric, not an upper bound, or a unit that does not fit.
        """
        metric = cls.metric_in(text)
        bound = text[_FORM.match(text).start(3) :]  # type: ignore[union-attr]
        if metric not in units:
            raise ValueError(
                f"constraint {text!r}: unknown metric {metric!r}; known: {', '.join(sorted(units))}"
            )
        try:
            return cls(metric, parse_quantity(bound, units[metric]))
        except ValueError as error:
            raise ValueError(f"constraint {text!r}: {error}") from error

    @staticmethod
    def metric_in(text: str) -> str:
        """The name of the metric in a constraint's text; raises ValueError where it is malformed."""
        match = _FORM.match(text)
        if not match or not match[3]:
            raise ValueError(
                f"constraint {text!r} is not of the form 'metric <= bound', such as 'latency_ms <= 5ms'"
            )
        if match[2] not in ("<=", "≤"):
            raise ValueError(
                f"constraint {text!r}: only upper bounds are possible, written '{match[1]} <= NUMBER'"
            )
        return match[1]

    def violation(self, value: float) -> float:
        """By what fraction of the bound `value` exceeds it; 0 within, infinite for NaN."""
        return math.inf if math.isnan(value) else max(0.0, value / self.bound - 1)

    def __str__(self) -> str:
        return f"{self.metric} <= {self.bound:g}"
