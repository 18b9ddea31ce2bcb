"""What a surrogate sees of an architecture: its choices, and the ranks of its zero-cost scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hwnas.objectives import Metric, MetricError
from hwnas.search.metrics import merit
from hwnas.spaces import Architecture, SearchSpace

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Candidates:
    """Architectures to choose from.

    Attributes:
        architectures: n of them.
        choices: `[n, total number of choices]`, one-hot.
        scores: `[n, proxies]`, standard normal over the space, more is better.
    """

    architectures: Sequence[Architecture]
    choices: Floats
    scores: Floats

    @property
    def inputs(self) -> Floats:
        """`[n, choices + proxies]`."""
        return np.hstack([self.choices, self.scores])

    @property
    def promise(self) -> Floats:
        """`[n]`: the mean of the scores, 0 where there are none."""
        return np.asarray(self.scores.sum(axis=1) / max(1, self.scores.shape[1]))

    def rows(self, rows: Sequence[int]) -> Candidates:
        """Some of them."""
        chosen = [self.architectures[row] for row in rows]
        return Candidates(chosen, self.choices[rows], self.scores[rows])


@dataclass(frozen=True)
class Features:
    """Makes candidates of architectures.

    A score is turned into a normal quantile by its rank within reference architectures of the space, so
    that it has no unit and no outliers; an undefined one ranks last. Which direction is better, says
    `hwnas.search.metrics.merit`.

    Attributes:
        space: of the architectures.
        proxies: the metrics that score them.
        reference: of each proxy, the sorted scores of the reference architectures.
    """

    space: SearchSpace
    proxies: tuple[Metric, ...]
    reference: tuple[Floats, ...]

    @classmethod
    def of(
        cls, space: SearchSpace, proxies: Sequence[Metric], architectures: Sequence[Architecture]
    ) -> Features:
        """Features whose ranks are those within `architectures`."""
        reference = tuple(np.sort(_scores(proxy, architectures)) for proxy in proxies)
        return cls(space, tuple(proxies), reference)

    def __call__(self, architectures: Sequence[Architecture]) -> Candidates:
        """Candidates, each scored by every proxy."""
        scores = [_scores(proxy, architectures) for proxy in self.proxies]
        return _candidates(self.space, architectures, scores, self.reference)


def ranked_among_themselves(
    space: SearchSpace, proxies: Sequence[Metric], architectures: Sequence[Architecture]
) -> Candidates:
    """What `Features.of` these architectures makes of them; each proxy is computed once for each."""
    scores = [_scores(proxy, architectures) for proxy in proxies]
    return _candidates(space, architectures, scores, [np.sort(one) for one in scores])


def _candidates(
    space: SearchSpace,
    architectures: Sequence[Architecture],
    scores: Sequence[Floats],
    references: Sequence[Floats],
) -> Candidates:
    """Candidates with the ranks of the scores of each proxy within its reference."""
    ranks = np.zeros((len(architectures), len(scores)))
    for column, (values, reference) in enumerate(zip(scores, references, strict=True)):
        ranks[:, column] = _quantiles(values, reference)
    return Candidates(architectures, space.one_hot(architectures), ranks)


def _scores(proxy: Metric, architectures: Sequence[Architecture]) -> Floats:
    """`[n]`, more is better; minus infinity where undefined."""
    values = np.full(len(architectures), -np.inf)
    for row, architecture in enumerate(architectures):
        try:
            value = merit(proxy, proxy(architecture))
        except MetricError:
            continue
        if not np.isnan(value):
            values[row] = value
    return values


def _quantiles(values: Floats, reference: Floats) -> Floats:
    """Normal quantiles of the mean ranks of `values` within the sorted `reference`."""
    from scipy.special import ndtri

    below = np.searchsorted(reference, values, side="left")
    up_to = np.searchsorted(reference, values, side="right")
    return np.asarray(ndtri((0.5 * (below + up_to) + 0.5) / (len(reference) + 1)))
