"""Candidates whose proxies are expensive: what the search scored, each score a trial of its own."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from hwnas.objectives import Metric, MetricError
from hwnas.search.screen import Screen
from hwnas.search.strategies.predictor.drawing import drawn
from hwnas.search.strategies.predictor.features import Features
from hwnas.search.strategies.predictor.pool import Best, Offer, Pool
from hwnas.search.strategy import Proposal
from hwnas.spaces import Architecture, SearchSpace

ROUND = 10
"""Choices between two rounds of scoring."""


@dataclass(frozen=True)
class ToldScores:
    """A metric whose values were told.

    Attributes:
        metric: what computed them.
        values: by architecture.
    """

    metric: Metric
    values: dict[Architecture, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The metric's own, as the next three."""
        return self.metric.name

    @property
    def unit(self) -> str:
        """See `name`."""
        return self.metric.unit

    @property
    def higher_is_better(self) -> bool:
        """See `name`."""
        return self.metric.higher_is_better

    @property
    def expensive(self) -> bool:
        """Looking a value up costs nothing."""
        return False

    def __call__(self, architecture: Architecture) -> float:
        """The value; raises MetricError where none was told."""
        value = self.values.get(architecture, math.nan)
        if math.isnan(value):
            raise MetricError(f"{self.name} of {architecture} is not known")
        return value


class ScoredPool(Pool):
    """First random architectures are scored; then, after each `ROUND` choices, relatives of the best.

    All that are scored are candidates for good. A choice waits until the scores of its round are told,
    so that it does not depend on how many are under way.

    Args:
        space: of any size.
        proxies: metrics, of which those that are expensive are asked for by their names.
        screen: the cheap constraints; none where None.
        generator: of all draws.
        scored: architectures of the first round.
        relatives: of the other rounds, for each choice.
    """

    def __init__(
        self,
        space: SearchSpace,
        proxies: Sequence[Metric],
        screen: Screen | None,
        generator: np.random.Generator,
        *,
        scored: int,
        relatives: int,
    ) -> None:
        self._space, self._screen, self._generator = space, screen, generator
        self._scored, self._relatives = scored, relatives
        self._told = {one.name: ToldScores(one) for one in proxies if one.expensive}
        self._proxies = [self._told.get(one.name, one) for one in proxies]
        self._architectures: dict[Architecture, None] = {}
        self._queue: deque[Proposal] = deque()
        self._under_way = self._choices = 0
        self._features: Features | None = None
        self._offer: Offer | None = None

    def next(self, best: Best, known: Container[Architecture]) -> Offer | Proposal | None:
        """The next to score, None until all are, and then `ROUND` times the same, less what was chosen."""
        if self._is_round_over:
            self._begin_round(best())
        if self._queue:
            self._under_way += 1
            return self._queue.popleft()
        if self._under_way:
            return None
        if self._offer is None:
            self._offer = self._offered(known)
        self._choices += 1
        return self._offer

    def tell(self, proposal: Proposal, metrics: Mapping[str, float]) -> None:
        """A score, where it is defined."""
        self._under_way -= 1
        value = metrics.get(proposal.maximize, math.nan)
        self._told[proposal.maximize].values[proposal.architecture] = value

    @property
    def _is_round_over(self) -> bool:
        if self._offer is None:
            return not self._architectures
        return self._choices >= ROUND or not self._offer.is_open.any()

    def _begin_round(self, best: Sequence[Architecture]) -> None:
        size = self._relatives * ROUND if self._architectures else self._scored
        new = drawn(self._space, best, size, self._screen, self._architectures, self._generator)
        self._architectures.update(dict.fromkeys(new))
        self._queue.extend(Proposal(one, name) for one in new for name in self._told)
        self._offer, self._choices = None, 0

    def _offered(self, known: Container[Architecture]) -> Offer:
        """Everything scored so far; scores are ranked within the first round."""
        architectures = list(self._architectures)
        if self._features is None:
            self._features = Features.of(self._space, self._proxies, architectures)
        return Offer.of(self._features(architectures), known)
