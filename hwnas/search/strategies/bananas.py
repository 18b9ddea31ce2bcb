"""BANANAS (White et al., "BANANAS: Bayesian Optimization with Neural Architectures for NAS", AAAI 2021)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hwnas.objectives import Objective
from hwnas.search.strategies.predictor.ensemble import Ensemble, squared_error, train
from hwnas.search.strategies.predictor.features import Candidates, Floats, Rows
from hwnas.search.strategies.predictor.guided import PredictorGuided
from hwnas.search.strategies.predictor.paths import path_encoding
from hwnas.search.strategies.predictor.settings import GuidedSettings
from hwnas.search.strategies.predictor.targets import standardised
from hwnas.search.strategy import register
from hwnas.spaces import SearchSpace

SAMPLED = 100


@register("bananas")
class BANANAS(PredictorGuided):
    """An ensemble of networks, and independent Thompson sampling.

    Of the `SAMPLED` candidates with the greatest mean, each one's value is drawn from a normal distribution
    with the ensemble's mean and standard deviation; the greatest is proposed. The ensemble is trained anew
    every `every` results.

    The networks read the one-hot choices, the paths through a cell where the space has such cells, and the
    proxies.

    Differences from the paper: the candidates are the best by the mean where the paper has mutants of the
    best networks; the ensemble's networks are smaller (two layers of 32 units), learn by squared error on
    standardised values, and read the choices beside the paths: with paths alone searches of NAS-Bench-201
    are worse.

    Args:
        space: where to search.
        objective: what for.
        initial: this and the others that are not listed, as `GuidedSettings`.
        every: results between two trainings.
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
        proxies: Sequence[str] | str = (),
        scored: int = 200,
        relatives: int = 20,
        seed: int = 0,
    ) -> None:
        guided = GuidedSettings(initial=initial, proxies=proxies, scored=scored, relatives=relatives)
        super().__init__(space, objective, guided, seed)
        if every < 1:
            raise ValueError(f"every must be at least 1 result, not {every}")
        self.every = every
        self._due = 0
        self._ensemble: Ensemble
        self._candidates: Candidates | None = None
        self._inputs: Floats
        self._predicted: Floats | None = None

    def settings(self) -> dict[str, Any]:
        """Those of every predictor-guided strategy, and how often the ensemble is trained."""
        return {**super().settings(), "every": self.every}

    def choose(self, candidates: Candidates, free: Rows) -> int:
        """As `PredictorGuided.choose`."""
        if self._candidates is not candidates:
            self._candidates, self._inputs, self._predicted = candidates, self._read(candidates), None
        numbers, values = self.ranked()
        if len(numbers) >= self._due:
            self._due = len(numbers) + self.every
            known = self._read(self.asked().rows(numbers))
            self._ensemble = train(known, standardised(values), squared_error, self._generator)
            self._predicted = None
        if self._predicted is None:
            self._predicted = self._ensemble(self._inputs)
        mean, std = self._predicted.mean(axis=0), self._predicted.std(axis=0)
        best = free[np.argsort(-mean[free], kind="stable")[:SAMPLED]]
        draws = mean[best] + std[best] * self._generator.standard_normal(len(best))
        return int(best[np.argmax(draws)])

    def _read(self, candidates: Candidates) -> Floats:
        """`[n, d]`: what the networks read."""
        paths = path_encoding(self.space, self.space.integers(candidates.architectures))
        encodings = [candidates.choices] if paths is None else [candidates.choices, paths]
        return np.hstack([*encodings, candidates.scores])
