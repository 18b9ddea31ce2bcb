"""The factorised policy: one categorical distribution for each decision, independent of the others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from hwnas.search.strategies.adam import Adam
from hwnas.search.strategies.policy.sample import Floats, Sample, Weigh, arrays
from hwnas.spaces import SearchSpace

INITIAL_SCALE = 1e-3
"""Standard deviation of the first logits, as in the released code of NAS-Bench-201."""


class FactorizedController:
    """Softmax over the logits [decisions, most choices] of each decision; -inf where there is no choice.

    Args:
        space: whose decisions it draws.
        learning_rate: of Adam.
        generator: for the first logits, normal with a standard deviation of 0.001.
    """

    def __init__(self, space: SearchSpace, *, learning_rate: float, generator: np.random.Generator) -> None:
        sizes = np.array([len(choices) for choices in space.choices])
        self._last = sizes - 1
        self._rows = np.arange(len(sizes))
        self._exists = np.arange(sizes.max()) < sizes[:, None]
        self._logits = np.where(
            self._exists, INITIAL_SCALE * generator.standard_normal(self._exists.shape), -np.inf
        )
        self._learning_rate = learning_rate
        self._adam = Adam(self._logits)
        self._normalise()

    @property
    def probabilities(self) -> Floats:
        """`[decisions, most choices]`."""
        return np.asarray(np.exp(self._log_probabilities))

    def draw(self, generator: np.random.Generator) -> tuple[int, ...]:
        """A choice for each decision."""
        uniform = generator.random(len(self._rows))
        indices = (self._cumulative <= uniform[:, None]).sum(axis=1)
        return tuple(np.minimum(indices, self._last).tolist())

    def log_probabilities(self, samples: Sequence[Sample]) -> Floats:
        """`[n]`: of the decisions with an effect; those without could have been any."""
        return self._log_probabilities_of(*arrays(samples))

    def ascend(self, samples: Sequence[Sample], weigh: Weigh, entropy: float) -> None:
        """One step of Adam along the gradient of Σ w·log p + `entropy` · mean entropy, w from `weigh`."""
        encodings, active = arrays(samples)
        weights = weigh(self._log_probabilities_of(encodings, active))
        gradient = self.gradient(encodings, active, weights, entropy)
        self._logits += self._learning_rate * self._adam.direction(gradient)
        self._normalise()

    def gradient(
        self, encodings: npt.NDArray[np.int64], active: Floats, weights: Floats, entropy: float
    ) -> Floats:
        """`[decisions, most choices]`: of Σ w·log p + `entropy` · mean entropy by the logits.

        d log p(a) / d logit_k = 1{a = k} - p_k, and dH / d logit_k = -p_k·(log p_k + H).
        """
        weighted = active * weights[:, None]
        probabilities = self.probabilities
        gradient = -weighted.sum(axis=0)[:, None] * probabilities
        for encoding, row in zip(encodings, weighted, strict=True):
            gradient[self._rows, encoding] += row
        if entropy:
            share = entropy * active.mean(axis=0)[:, None]
            logs = np.where(self._exists, self._log_probabilities, 0.0)
            row_entropy = -(probabilities * logs).sum(axis=1, keepdims=True)
            gradient -= share * probabilities * (logs + row_entropy)
        return np.asarray(gradient)

    def _log_probabilities_of(self, encodings: npt.NDArray[np.int64], active: Floats) -> Floats:
        found: Floats = (self._log_probabilities[self._rows, encodings] * active).sum(axis=1)
        return found

    def _normalise(self) -> None:
        shifted = self._logits - self._logits.max(axis=1, keepdims=True)
        exponentials = np.exp(shifted)
        total = exponentials.sum(axis=1, keepdims=True)
        self._log_probabilities = shifted - np.log(total)
        self._cumulative = np.cumsum(exponentials / total, axis=1)
