"""NASWOT (Mellor et al., "Neural Architecture Search without Training", ICML 2021)."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np

from hwnas.objectives import Objective
from hwnas.search.strategies.warm_up import WarmUp
from hwnas.search.strategy import Proposal, Strategy, register
from hwnas.spaces import Architecture, SearchSpace


@register("naswot")
class NASWOTSearch(Strategy):
    """Of random architectures the best by a proxy is the answer, and the only one that is evaluated.

    Scores may be negative, as the log-determinant of NASWOT is; an architecture whose score is undefined
    comes after all others. Where the objective's metric is undefined for the best one, the next is
    evaluated. The search ends by itself, after `samples` scores and an answer.

    Args:
        space: where to search.
        objective: what for; its constraints come before the score.
        samples: number of architectures to score, N in the paper.
        score_by: the proxy.
        seed: of the draws.

    Raises:
        ValueError: no samples, or the proxy is the objective's own metric.
    """

    def __init__(
        self,
        space: SearchSpace,
        objective: Objective,
        *,
        samples: int = 1000,
        score_by: str = "naswot",
        seed: int = 0,
    ) -> None:
        super().__init__(space, objective, seed=seed)
        if samples < 1:
            raise ValueError(f"samples must be at least 1, not {samples}")
        if score_by == objective.maximize:
            raise ValueError(
                f"naswot scores by {score_by} to maximise another metric, such as the accuracy; "
                f"to maximise {score_by} itself, use the strategy random"
            )
        self.samples, self.score_by = samples, score_by
        self._warm_up = WarmUp(space, objective, samples, score_by, np.random.default_rng(seed))
        self._best_first: deque[Architecture] | None = None
        self._under_way = False
        self._has_answer = False

    def settings(self) -> Mapping[str, Any]:
        """Number of samples and the proxy."""
        return {"samples": self.samples, "score_by": self.score_by}

    def ask(self) -> Proposal | None:
        """A draw to score, then the best of all; None once its objective is known."""
        if not self._warm_up.is_over:
            return self._warm_up.ask()
        if self._best_first is None:
            self._best_first = deque(self._warm_up.best_first())
        if self._under_way or self._has_answer or not self._best_first:
            return None
        self._under_way = True
        return Proposal(self._best_first.popleft(), self.objective.maximize)

    def tell(self, proposal: Proposal, metrics: Mapping[str, float]) -> None:
        """The score of a draw, or what the answer is worth."""
        if not self._warm_up.is_over:
            self._warm_up.tell(proposal, metrics, self.screen)
        else:
            self._under_way = False
            self._has_answer = self.objective.fitness(metrics).rank > 0
