"""Random search with a warm-up (Abdelfattah et al., "Zero-Cost Proxies for Lightweight NAS", ICLR 2021)."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np

from hwnas.objectives import Objective
from hwnas.search.strategies.warm_up import WarmUp, check_warm_up
from hwnas.search.strategy import Proposal, Strategy, register
from hwnas.spaces import Architecture, SearchSpace


@register("random_warm_up")
class WarmedRandomSearch(Strategy):
    """Random architectures, scored by a cheap metric and evaluated best first; then uniform draws.

    Args:
        space: where to search.
        objective: what for.
        warm_up: number of architectures to score.
        warm_up_by: the cheap metric to score them by.
        seed: of all draws.

    Raises:
        ValueError: the warm-up scores nothing, or has no metric.
    """

    def __init__(
        self,
        space: SearchSpace,
        objective: Objective,
        *,
        warm_up: int = 3000,
        warm_up_by: str | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(space, objective, seed=seed)
        check_warm_up(warm_up, warm_up_by)
        if not warm_up or not warm_up_by:
            raise ValueError("random_warm_up needs a warm_up; random goes without")
        self.warm_up, self.warm_up_by = warm_up, warm_up_by
        self._generator = np.random.default_rng(seed)
        self._warm_up = WarmUp(space, objective, warm_up, warm_up_by, self._generator)
        self._best_first: deque[Architecture] | None = None

    def settings(self) -> Mapping[str, Any]:
        """The warm-up's size and metric."""
        return {"warm_up": self.warm_up, "warm_up_by": self.warm_up_by}

    def ask(self) -> Proposal | None:
        """A draw to score, then the best scored one not evaluated yet, then a uniform draw."""
        if not self._warm_up.is_over:
            return self._warm_up.ask()
        if self._best_first is None:
            self._best_first = deque(self._warm_up.best_first())
        chosen = self._best_first.popleft() if self._best_first else self.space.random(self._generator)
        return Proposal(chosen, self.objective.maximize)

    def tell(self, proposal: Proposal, metrics: Mapping[str, float]) -> None:
        """The score of a warm-up draw; from what is evaluated, nothing is learned."""
        if not self._warm_up.is_over:
            self._warm_up.tell(proposal, metrics, self.screen)
