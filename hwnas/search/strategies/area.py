"""AREA: evolution whose first population a zero-cost proxy chooses (Mellor et al., ICML 2021)."""

from __future__ import annotations

from hwnas.objectives import Objective
from hwnas.search.strategies.evolution import RegularizedEvolution
from hwnas.search.strategy import register
from hwnas.spaces import SearchSpace


@register("area")
class AREA(RegularizedEvolution):
    """Assisted regularised evolution: of random architectures the best by a proxy are the first population.

    It is regularised evolution with a warm-up of the size of the NAS-Bench-201 experiments: 1000
    architectures are scored, the best 10 are evaluated, and of 3 members the best is mutated.

    Args:
        space: where to search.
        objective: what for.
        population: size of the queue, N in the paper.
        tournament: members drawn without replacement, of which the best is the parent.
        warm_up: number of architectures to score, M in the paper.
        warm_up_by: the proxy to score them by.
        seed: of all draws.

    Raises:
        ValueError: sizes that do not fit each other.
    """

    def __init__(
        self,
        space: SearchSpace,
        objective: Objective,
        *,
        population: int = 10,
        tournament: int = 3,
        warm_up: int = 1000,
        warm_up_by: str = "naswot",
        seed: int = 0,
    ) -> None:
        if not warm_up:
            raise ValueError("area needs a warm_up; evolution goes without")
        super().__init__(
            space,
            objective,
            population=population,
            tournament=tournament,
            warm_up=warm_up,
            warm_up_by=warm_up_by,
            seed=seed,
        )
