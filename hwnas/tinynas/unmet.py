"""Limits that no drawn network satisfies: which is the tightest, and what comes nearest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hwnas.objectives import format_quantity
from hwnas.tinynas.limit import Limit
from hwnas.tinynas.sampling import Draws, Nearest


class NoFeasibleSpaceError(ValueError):
    """No network that was drawn satisfies the limits.

    Attributes:
        nearest: the network that exceeds them the least.
        tightest: the limited metric of which it exceeds the limit the most.
    """

    def __init__(self, message: str, nearest: Nearest, tightest: str) -> None:
        super().__init__(message)
        self.nearest = nearest
        self.tightest = tightest


def unmet(limits: Sequence[Limit], draws: Mapping[str, Draws]) -> NoFeasibleSpaceError:
    """The error of draws without a single satisfying network."""
    nearest = min((found.nearest for found in draws.values() if found.nearest), key=lambda one: one.violation)
    known = [one for one in limits if one.name in nearest.metrics]
    tightest = max(known, key=lambda one: one.constraint.violation(nearest.metrics[one.name]))
    drawn = sum(found.drawn for found in draws.values())
    spaces = "1 space" if len(draws) == 1 else f"{len(draws)} spaces"
    message = (
        f"none of {drawn:,} networks drawn from {spaces} satisfies "
        f"{' and '.join(_limit(one) for one in limits)}; the nearest, {nearest.architecture} of "
        f"{nearest.space}, has {' and '.join(_value(one, nearest) for one in known)}"
        f"{f'; {tightest.name} is the tightest limit' if len(known) > 1 else ''}"
    )
    return NoFeasibleSpaceError(message, nearest, tightest.name)


def _limit(limit: Limit) -> str:
    return f"{limit.name} <= {format_quantity(limit.bound, limit.metric.unit)}"


def _value(limit: Limit, nearest: Nearest) -> str:
    value = nearest.metrics[limit.name]
    excess = limit.constraint.violation(value)
    beyond = f" ({100 * excess:.1f} % too much)" if excess else ""
    return f"{limit.name} {format_quantity(value, limit.metric.unit)}{beyond}"
