"""BRP-NAS (Dudziak et al., "BRP-NAS: Prediction-based NAS using GCNs", NeurIPS 2020)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from hwnas.objectives import Objective
from hwnas.search.strategies.predictor.ensemble import pairwise, train
from hwnas.search.strategies.predictor.features import Candidates, Rows
from hwnas.search.strategies.predictor.guided import PredictorGuided
from hwnas.search.strategies.predictor.targets import standardised
from hwnas.search.strategy import register
from hwnas.spaces import SearchSpace


@register("brp_nas")
class BRPNAS(PredictorGuided):
    """A predictor of which of two networks is better, trained anew in rounds on what it chose.

    Of each round of `every` proposals the share `alpha` are the best by the predictor, and the rest are
    drawn from the best half of the candidates, in the next round from the best quarter, and so on.

    Differences from the paper: the relation is read off the difference of two scores, by an ensemble of
    networks on one-hot choices and proxies; the paper has a graph convolution over the cell's graph, which
    not every space has. The rounds go on until the budget is spent.

    Args:
        space: where to search.
        objective: what for.
        initial: proposals before the predictor chooses.
        every: proposals of a round, at the end of which the predictor is trained on all results.
        alpha: share of the best by the predictor in a round.
        proxies: metrics that the predictor reads too.
        seed: of all draws.

    Raises:
        ValueError: as `PredictorGuided`, `every` below 1, or `alpha` no share above 0.
    """

    def __init__(
        self,
        space: SearchSpace,
        objective: Objective,
        *,
        initial: int = 10,
        every: int = 5,
        alpha: float = 0.5,
        proxies: Sequence[str] | str = (),
        scored: int = 200,
        relatives: int = 20,
        seed: int = 0,
    ) -> None:
        super().__init__(
            space,
            objective,
            initial=initial,
            proxies=proxies,
            scored=scored,
            relatives=relatives,
            seed=seed,
        )
        if every < 1:
            raise ValueError(f"every must be at least 1 proposal, not {every}")
        if not 0 < alpha <= 1:
            raise ValueError(f"alpha must be above 0 and at most 1, not {alpha}")
        self.every, self.alpha = every, alpha
        self._round = 0
        self._in_round = every

    def settings(self) -> dict[str, Any]:
        """Those of every predictor-guided strategy, and those of the rounds."""
        return {**super().settings(), "every": self.every, "alpha": self.alpha}

    def choose(self, candidates: Candidates, free: Rows) -> int:
        """As `PredictorGuided.choose`."""
        if self._in_round >= self.every:
            numbers, values = self.ranked()
            inputs = self.asked().inputs[numbers]
            self._ensemble = train(inputs, standardised(values), pairwise, self._generator)
            self._scores_of: Candidates | None = None
            self._round, self._in_round = self._round + 1, 0
        if self._scores_of is not candidates:
            self._scores, self._scores_of = self._ensemble(candidates.inputs).mean(axis=0), candidates
        exploits = self._in_round < math.ceil(self.alpha * self.every)
        self._in_round += 1
        scores = self._scores[free]
        if exploits:
            return int(free[np.argmax(scores)])
        kept = max(min(self.every, len(free)), len(free) >> min(self._round, 60))
        best = np.argpartition(-scores, kept - 1)[:kept]
        return int(free[best[self._generator.integers(kept)]])
