"""How good an architecture is by a cheaper metric than the objective's."""

from __future__ import annotations

from collections.abc import Mapping

from hwnas.objectives import Fitness, Objective
from hwnas.search.metrics import merit
from hwnas.search.screen import Screen


def proxy_fitness(
    objective: Objective, metrics: Mapping[str, float], proxy: str, screen: Screen | None
) -> Fitness:
    """Orders architectures as the objective does, by the `proxy_merit` of the metric `proxy`."""
    fitness = objective.fitness(metrics, proxy)
    return Fitness(2, proxy_merit(proxy, fitness.score, screen)) if fitness.rank == 2 else fitness


def proxy_merit(proxy: str, value: float, screen: Screen | None) -> float:
    """The `value` of the metric `proxy` as a score, of which more is better.

    The direction is that of the screen's metric (`hwnas.search.metrics.merit`); without one, more is better.
    """
    known = screen.metrics.get(proxy) if screen else None
    return merit(known, value) if known else value
