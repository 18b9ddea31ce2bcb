"""How good an architecture is by a cheaper metric than the objective's."""

from __future__ import annotations

from collections.abc import Mapping

from hwnas.objectives import Fitness, Objective
from hwnas.search.screen import Screen


def proxy_fitness(
    objective: Objective, metrics: Mapping[str, float], proxy: str, screen: Screen | None
) -> Fitness:
    """Orders architectures as the objective does, by the metric `proxy` in its own direction.

    The direction is that of the screen's metric; without a screen, more is better.
    """
    fitness = objective.fitness(metrics, proxy)
    known = screen.metrics.get(proxy) if screen else None
    if fitness.rank == 2 and known is not None and not known.higher_is_better:
        return Fitness(2, -fitness.score)
    return fitness
