"""The frame of predictor-guided strategies: first a design by proxies, then what a surrogate chooses."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hwnas.objectives import Metric, Objective
from hwnas.search.metrics import metric
from hwnas.search.strategies.predictor.features import Candidates, Floats, Rows
from hwnas.search.strategies.predictor.pool import DrawnAnew, Offer, Pool, WholeSpace
from hwnas.search.strategies.predictor.scored_pool import ScoredPool
from hwnas.search.strategies.predictor.settings import LEAST, GuidedSettings
from hwnas.search.strategies.predictor.targets import scaled
from hwnas.search.strategies.predictor.threads import one_blas_thread
from hwnas.search.strategy import Proposal, Strategy
from hwnas.spaces import Architecture, SearchSpace

PROMISING = 0.2
"""The first proposals are drawn from this share of the candidates, the best by the proxies."""
PARENTS = 10


@dataclass
class Asked:
    """A proposal as the surrogates see it; `metrics` is None until it is told."""

    architecture: Architecture
    choices: Floats
    scores: Floats
    metrics: Mapping[str, float] | None = None


class PredictorGuided(Strategy):
    """Proposes what a surrogate, fitted on the results so far, expects most of.

    The first `initial` proposals are random, or with proxies random among the fifth with the best mean
    score. In a small space the surrogate ranks all architectures; in others a pool of relatives of the best
    and of random ones, drawn anew for each proposal. Where a proxy is expensive, it ranks those that the
    search has scored, each score being a proposal by the proxy's name: `scored` random architectures first,
    and `relatives` more for each choice, in rounds (see `ScoredPool`). Architectures that break a cheap
    constraint are no candidates, and none is chosen twice.

    Args:
        space: where to search.
        objective: what for.
        guided: the settings.
        seed: of all draws.

    Raises:
        ValueError: a proxy is what is maximised.
    """

    def __init__(self, space: SearchSpace, objective: Objective, guided: GuidedSettings, seed: int) -> None:
        super().__init__(space, objective, seed=seed)
        if objective.maximize in guided.names:
            raise ValueError(f"proxies must be other metrics, none {objective.maximize}, which is maximised")
        self.guided = guided
        self._generator = np.random.default_rng(seed)
        self._asked: list[Asked] = []
        self._told = 0
        self._proposed: set[Architecture] = set()
        self._pool: Pool | None = None

    def settings(self) -> Mapping[str, Any]:
        """The size of the first design, the proxies, and how many architectures expensive ones score."""
        return self.guided.record()

    def ask(self) -> Proposal | None:
        """An architecture to score, a member of the first design, or what the surrogate chooses.

        None to wait for scores, and where nothing new is left.
        """
        if self._pool is None:
            self._pool = self._prepared()
        offer = self._pool.next(self._best, self._proposed)
        if not isinstance(offer, Offer):
            return offer
        free = offer.free
        if len(free) == 0:
            return None
        if len(self._asked) < self.guided.initial or not self.is_informed:
            row = self._first(offer.candidates, free)
        else:
            with one_blas_thread():
                row = self.choose(offer.candidates, free)
        return self._noted(offer, row)

    def tell(self, proposal: Proposal, metrics: Mapping[str, float]) -> None:
        """Note a score, or what the oldest proposal under way is worth."""
        if proposal.maximize == self.objective.maximize:
            self._asked[self._told].metrics = dict(metrics)
            self._told += 1
        elif isinstance(self._pool, ScoredPool):
            self._pool.tell(proposal, metrics)

    @abstractmethod
    def choose(self, candidates: Candidates, free: Rows) -> int:
        """The row among `free` of the candidate to propose.

        As long as candidates stay the same, `candidates` is the same object.
        """

    def known(self, name: str | None = None) -> tuple[list[int], Floats]:
        """Which proposals have a value of the metric (by default what is maximised), and these values."""
        name = name or self.objective.maximize
        values = [
            (number, asked.metrics[name])
            for number, asked in enumerate(self._asked[: self._told])
            if asked.metrics is not None and not math.isnan(asked.metrics.get(name, math.nan))
        ]
        return [number for number, _ in values], np.array([value for _, value in values])

    def ranked(self) -> tuple[list[int], Floats]:
        """Which proposals can be ranked, and values in the order of the objective's fitness, of any unit.

        Those that break a constraint stand as far below the worst of the others as that is below the best;
        where nothing keeps the constraints, values are minus the violations.
        """
        fitness = [self.objective.fitness(asked.metrics or {}) for asked in self._asked[: self._told]]
        numbers = [number for number, one in enumerate(fitness) if one.rank > 0]
        is_kept = np.array([fitness[number].rank == 2 for number in numbers], dtype=bool)
        scores = np.array([fitness[number].score for number in numbers])
        if not is_kept.any():
            return numbers, scaled(scores)
        kept = scaled(scores[is_kept])
        values = np.full(len(numbers), kept.min() - (np.ptp(kept) or 1.0))
        values[is_kept] = kept
        return numbers, values

    @property
    def is_informed(self) -> bool:
        """Whether there are results enough for the surrogate."""
        return len(self.ranked()[0]) >= LEAST

    def asked(self) -> Candidates:
        """All proposals so far, in order."""
        return Candidates(
            [asked.architecture for asked in self._asked],
            np.array([asked.choices for asked in self._asked]),
            np.array([asked.scores for asked in self._asked]),
        )

    def _prepared(self) -> Pool:
        proxies = [self._metric(name) for name in self.guided.names]
        if any(proxy.expensive for proxy in proxies):
            return ScoredPool(
                self.space,
                proxies,
                self.screen,
                self._generator,
                scored=self.guided.scored,
                relatives=self.guided.relatives,
            )
        if proxies:
            self.say(f"computing {', '.join(self.guided.names)} of the candidates")
        if self.space.is_small:
            return WholeSpace(self.space, proxies, self.screen)
        return DrawnAnew(self.space, proxies, self.screen, self._generator)

    def _metric(self, name: str) -> Metric:
        known = self.screen.metrics.get(name) if self.screen else None
        return known or metric(name, seed=self.seed)

    def _best(self) -> list[Architecture]:
        told = self._asked[: self._told]
        ordered = sorted(told, key=lambda asked: self.objective.fitness(asked.metrics or {}), reverse=True)
        return [asked.architecture for asked in ordered[:PARENTS]]

    def _first(self, candidates: Candidates, free: Rows) -> int:
        if not self.guided.names:
            return int(self._generator.choice(free))
        best_first = free[np.argsort(-candidates.promise[free], kind="stable")]
        return int(best_first[self._generator.integers(math.ceil(PROMISING * len(best_first)))])

    def _noted(self, offer: Offer, row: int) -> Proposal:
        candidates = offer.candidates
        architecture = candidates.architectures[row]
        self._asked.append(Asked(architecture, candidates.choices[row], candidates.scores[row]))
        self._proposed.add(architecture)
        offer.is_open[row] = False
        return Proposal(architecture, self.objective.maximize)
