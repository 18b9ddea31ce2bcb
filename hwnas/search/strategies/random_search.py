"""Random search."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hwnas.objectives import Objective
from hwnas.search.strategy import Proposal, Strategy, register
from hwnas.spaces import SearchSpace


@register("random")
class RandomSearch(Strategy):
    """Uniform draws from the valid architectures."""

    def __init__(self, space: SearchSpace, objective: Objective, *, seed: int = 0) -> None:
        super().__init__(space, objective, seed=seed)
        self._generator = np.random.default_rng(seed)

    def ask(self) -> Proposal:
        """A uniform draw."""
        return Proposal(self.space.random(self._generator), self.objective.maximize)

    def tell(self, proposal: Proposal, metrics: Mapping[str, float]) -> None:
        """Nothing is learned."""
