"""Limits that no drawn network satisfies: which is the tightest, and what comes nearest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hwnas.objectives.shortfall import bounds_text, shortfall, tightest
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
    constraints = [one.constraint for one in limits]
    units = {one.name: one.metric.unit for one in limits}
    drawn = sum(found.drawn for found in draws.values())
    spaces = "1 space" if len(draws) == 1 else f"{len(draws)} spaces"
    message = (
        f"none of {drawn:,} networks drawn from {spaces} satisfies "
        f"{bounds_text(constraints, units)}; the nearest, {nearest.architecture} of {nearest.space}, has "
        f"{shortfall(constraints, units, nearest.metrics)}"
    )
    return NoFeasibleSpaceError(message, nearest, tightest(constraints, nearest.metrics).metric)
