"""Where candidates come from: all of a small space, or some that are drawn anew for each choice."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hwnas.objectives import Metric
from hwnas.search.screen import Screen
from hwnas.search.strategies.predictor.drawing import drawn
from hwnas.search.strategies.predictor.features import (
    Candidates,
    Features,
    Rows,
    ranked_among_themselves,
)
from hwnas.search.strategy import Proposal
from hwnas.spaces import Architecture, SearchSpace

POOL = 400
"""Candidates drawn for one choice in a large space."""
REFERENCE = 1000
"""Random architectures of a large space, within which the scores of cheap proxies are ranked."""

Best = Callable[[], Sequence[Architecture]]
"""The best architectures so far, whose relatives are drawn."""


@dataclass(frozen=True, eq=False)
class Offer:
    """Candidates, and which of them may still be chosen, `[n]`."""

    candidates: Candidates
    is_open: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, candidates: Candidates, known: Container[Architecture]) -> Offer:
        """All that are not known are open."""
        is_open = [one not in known for one in candidates.architectures]
        return cls(candidates, np.array(is_open, dtype=bool))

    @property
    def free(self) -> Rows:
        """The rows that are open."""
        return np.flatnonzero(self.is_open)


class Pool(ABC):
    """Offers candidates, of which each choice takes one."""

    @abstractmethod
    def next(self, best: Best, known: Container[Architecture]) -> Offer | Proposal | None:
        """What to choose from; or an architecture to score before that, None to wait for scores."""


class WholeSpace(Pool):
    """All architectures that keep the cheap constraints; where none keeps them, all.

    Args:
        space: a small one.
        proxies: cheap metrics.
        screen: the cheap constraints; none where None.
    """

    def __init__(self, space: SearchSpace, proxies: Sequence[Metric], screen: Screen | None) -> None:
        found = list(space)
        if screen is not None and screen.objective.constraints:
            found = [one for one in found if screen.violation(one) == 0] or found
        self._offer = Offer.of(ranked_among_themselves(space, proxies, found), ())

    def next(self, best: Best, known: Container[Architecture]) -> Offer:
        """The same each time, less what was chosen."""
        return self._offer


class DrawnAnew(Pool):
    """`POOL` relatives of the best and random ones, others for each choice; see `drawing.drawn`.

    Args:
        space: of any size.
        proxies: cheap metrics, ranked within `REFERENCE` random architectures.
        screen: the cheap constraints; none where None.
        generator: of all draws.
    """

    def __init__(
        self,
        space: SearchSpace,
        proxies: Sequence[Metric],
        screen: Screen | None,
        generator: np.random.Generator,
    ) -> None:
        self._space, self._screen, self._generator = space, screen, generator
        reference = drawn(space, [], REFERENCE, screen, (), generator) if proxies else []
        self._features = Features.of(space, proxies, reference)

    def next(self, best: Best, known: Container[Architecture]) -> Offer:
        """New ones."""
        found = drawn(self._space, best(), POOL, self._screen, known, self._generator)
        return Offer.of(self._features(found), ())
