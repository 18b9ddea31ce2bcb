"""What is said where constraints are not met: the bounds, and how far values are beyond them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hwnas.objectives.constraint import Constraint
from hwnas.objectives.quantity import format_quantity


def bounds_text(constraints: Sequence[Constraint], units: Mapping[str, str]) -> str:
    """`peak_sram_bytes <= 320.0 kB and latency_ms <= 5 ms`; units by metric name."""
    return " and ".join(
        f"{one.metric} <= {format_quantity(one.bound, units.get(one.metric, ''))}" for one in constraints
    )


def shortfall(
    constraints: Sequence[Constraint], units: Mapping[str, str], values: Mapping[str, float]
) -> str:
    """`peak_sram_bytes 400.0 kB (25.0 % too much) and latency_ms 3 ms`, and which bound is the tightest.

    Of the constraints whose metrics are among `values`; at least one is.
    """
    known = [one for one in constraints if one.metric in values]
    told = " and ".join(_value(one, units.get(one.metric, ""), values[one.metric]) for one in known)
    return f"{told}; {tightest(known, values).metric} is the tightest limit" if len(known) > 1 else told


def tightest(constraints: Sequence[Constraint], values: Mapping[str, float]) -> Constraint:
    """Of the constraints whose metrics are among `values` the one that is exceeded the most."""
    known = [one for one in constraints if one.metric in values]
    return max(known, key=lambda one: one.violation(values[one.metric]))


def _value(constraint: Constraint, unit: str, value: float) -> str:
    excess = 100 * constraint.violation(value)
    percent = f"{excess:,.1f}" if excess >= 1 else f"{excess:.2g}"
    beyond = f" ({percent} % too much)" if excess else ""
    return f"{constraint.metric} {format_quantity(value, unit)}{beyond}"
