"""What a policy over a space can do, whatever its form, and the forms by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from hwnas.search.strategies.policy.factorized import FactorizedController
from hwnas.search.strategies.policy.sample import Floats, Sample, Weigh
from hwnas.spaces import SearchSpace

CONTROLLERS = ("factorized", "rnn")


class Controller(Protocol):
    """A distribution over the choices of a space, and how to change it."""

    def draw(self, generator: np.random.Generator) -> tuple[int, ...]:
        """A choice for each decision."""

    def log_probabilities(self, samples: Sequence[Sample]) -> Floats:
        """`[n]`: of the decisions with an effect."""

    def ascend(self, samples: Sequence[Sample], weigh: Weigh, entropy: float) -> None:
        """One step along the gradient of Σ w·log p + `entropy` · mean entropy, w from `weigh`."""


def make_controller(
    name: str, space: SearchSpace, *, learning_rate: float, generator: np.random.Generator
) -> Controller:
    """The controller called `name`, one of `CONTROLLERS`."""
    if name == "rnn":
        from hwnas.search.strategies.policy.recurrent import RecurrentController

        return RecurrentController(space, learning_rate=learning_rate, generator=generator)
    return FactorizedController(space, learning_rate=learning_rate, generator=generator)
