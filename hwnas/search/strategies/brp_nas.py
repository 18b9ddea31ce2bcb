"""BRP-NAS (Dudziak et al., "BRP-NAS: Prediction-based NAS using GCNs", NeurIPS 2020)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from hwnas.objectives import Objective
from hwnas.search.strategies.predictor.features import Candidates, Floats, Rows
from hwnas.search.strategies.predictor.graphs import has_cells
from hwnas.search.strategies.predictor.guided import PredictorGuided
from hwnas.search.strategies.predictor.relations import ChoiceRelation, GraphRelation, Relation
from hwnas.search.strategies.predictor.settings import GuidedSettings
from hwnas.search.strategies.predictor.targets import standardised
from hwnas.search.strategy import register
from hwnas.spaces import SearchSpace

MODELS = ("gcn", "mlp")


@register("brp_nas")
class BRPNAS(PredictorGuided):
    """A predictor of which of two networks is better, trained anew in rounds on what it chose.

    Of each round of `every` proposals the share `alpha` are the best by the predictor, and the rest are
    drawn from the best half of the candidates, in the next round from the best quarter, and so on.

    The predictor `gcn` is a graph convolution over an architecture's cells, `mlp` an ensemble of networks
    on its one-hot choices; both read the proxies, too. By default it is `gcn` where the space has cells. A
    chain of decisions is a graph as well, but one from which the convolution learns less than the networks.

    Differences from the paper: the relation is read off the difference of two scores, so that it is
    transitive; convolutions go along the edges both ways, and a graph is the mean of its nodes, where the
    paper has a global node; there are 3 of 16 units, where the paper has 4 of 600. The rounds go on until
    the budget is spent.

    Args:
        space: where to search.
        objective: what for.
        initial: this and the others that are not listed, as `GuidedSettings`.
        every: proposals of a round, at the end of which the predictor is trained on all results.
        alpha: share of the best by the predictor in a round.
        model: `gcn` or `mlp`; by default what suits the space.
        seed: of all draws.

    Raises:
        ValueError: a setting that is out of range or unknown.
    """

    def __init__(
        self,
        space: SearchSpace,
        objective: Objective,
        *,
        initial: int = 10,
        every: int = 5,
        alpha: float = 0.5,
        model: str | None = None,
        proxies: Sequence[str] | str = (),
        scored: int = 200,
        relatives: int = 20,
        seed: int = 0,
    ) -> None:
        guided = GuidedSettings(initial=initial, proxies=proxies, scored=scored, relatives=relatives)
        super().__init__(space, objective, guided, seed)
        if every < 1:
            raise ValueError(f"every must be at least 1 proposal, not {every}")
        if not 0 < alpha <= 1:
            raise ValueError(f"alpha must be above 0 and at most 1, not {alpha}")
        if model not in (None, *MODELS):
            raise ValueError(f"model must be one of {', '.join(MODELS)}, not {model!r}")
        self.every, self.alpha = every, alpha
        self.model = model or ("gcn" if has_cells(space) else "mlp")
        self._relation: Relation = GraphRelation(space) if self.model == "gcn" else ChoiceRelation()
        self._round = 0
        self._in_round = every
        self._candidates: Candidates | None = None
        self._scores: Floats

    def settings(self) -> dict[str, Any]:
        """Those of every predictor-guided strategy, and those of the rounds."""
        return {**super().settings(), "every": self.every, "alpha": self.alpha, "model": self.model}

    def choose(self, candidates: Candidates, free: Rows) -> int:
        """As `PredictorGuided.choose`."""
        if self._in_round >= self.every:
            numbers, values = self.ranked()
            self._relation.train(self.asked().rows(numbers), standardised(values), self._generator)
            self._candidates = None
            self._round, self._in_round = self._round + 1, 0
        if self._candidates is not candidates:
            self._candidates, self._scores = candidates, self._relation(candidates)
        exploits = self._in_round < math.ceil(self.alpha * self.every)
        self._in_round += 1
        scores = self._scores[free]
        if exploits:
            return int(free[np.argmax(scores)])
        kept = max(min(self.every, len(free)), len(free) >> min(self._round, 60))
        best = np.argpartition(-scores, kept - 1)[:kept]
        return int(free[best[self._generator.integers(kept)]])
