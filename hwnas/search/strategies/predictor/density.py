"""The density of architectures that are alike, over categorical choices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwnas.search.strategies.predictor.features import Floats, Rows

LEAST_BANDWIDTH = 1e-3


@dataclass(frozen=True, eq=False)
class ChoiceDensity:
    """A kernel density estimate with a product of Aitchison and Aitken's kernels (Biometrika, 1976).

    k(x, x_i) = 1 - λ where two choices of c are the same, and λ / (c - 1) where they are not.

    Attributes:
        data: `[n, d]`, indices of choices.
        sizes: `[d]`, choices of each decision.
        bandwidths: `[d]`, λ, up to that of the uniform distribution, (c - 1) / c.
    """

    data: Rows
    sizes: Rows
    bandwidths: Floats

    @classmethod
    def of(cls, data: Rows, sizes: Rows) -> ChoiceDensity:
        """With the normal reference rule's bandwidths, λ = 1.06 σ n^(-1/(4+d)).

        Choices have no order; σ² is the variance of their one-hot encodings, Σ p (1 - p) / 2.
        """
        n, d = data.shape
        shares = np.zeros((d, int(sizes.max())))
        for decision in range(d):
            shares[decision] = np.bincount(data[:, decision], minlength=shares.shape[1]) / n
        spread = np.sqrt((shares * (1 - shares)).sum(axis=1) / 2)
        return cls(data, sizes, _bounded(1.06 * spread * n ** (-1 / (4 + d)), sizes))

    def log(self, choices: Rows) -> Floats:
        """The logarithm of the density, `[m, d] -> [m]`."""
        from scipy.special import logsumexp

        with np.errstate(divide="ignore"):
            same, other = np.log(1 - self.bandwidths), np.log(self.bandwidths / np.maximum(self.sizes - 1, 1))
        terms = np.where(choices[:, None, :] == self.data, same, other).sum(axis=2)
        return np.asarray(logsumexp(terms, axis=1) - np.log(len(self.data)))

    def sample(self, count: int, wider: float, generator: np.random.Generator) -> Rows:
        """`[count, d]`, of the density with bandwidths `wider` times as large."""
        bandwidths = _bounded(wider * self.bandwidths, self.sizes)
        centres = self.data[generator.integers(len(self.data), size=count)]
        shifts = generator.integers(1, np.maximum(self.sizes, 2), size=centres.shape)
        changes = generator.random(centres.shape) < bandwidths
        return np.asarray(np.where(changes, (centres + shifts) % self.sizes, centres))


def _bounded(bandwidths: Floats, sizes: Rows) -> Floats:
    return np.minimum(np.maximum(bandwidths, LEAST_BANDWIDTH), (sizes - 1) / sizes)
