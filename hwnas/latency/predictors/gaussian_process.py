"""Gaussian-process regression averaged over a grid of hyper-parameters; NumPy and SciPy alone.

Rasmussen and Williams, "Gaussian Processes for Machine Learning" (2006): algorithm 2.1 and eq. 5.8.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CONSTANT = 10.0
"""Prior variance of a common offset of all targets, which are of the order of 1: it is free."""

KEPT, LEAST_WEIGHT = 8, 0.01
"""How many points of the grid are averaged at most, and the posterior weight below which one is left out."""

RELEVANCES = ((1.0, 1.0), (1.0, 0.0), (0.0, 1.0))
"""What columns of the first and of the second group are multiplied by: both count, or one alone."""

_LARGEST_TO_CHOOSE = 128
_JITTER = 1e-8


class Hyper(NamedTuple):
    """Prior variances of the linear and the smooth part, the latter's length, the noise's variance.

    The length is in units of the root mean square distance per column. `relevance` (automatic relevance
    determination with one parameter) is a position in `RELEVANCES`.
    """

    relevance: int
    linear: float
    smooth: float
    length: float
    noise: float


GRID = tuple(
    Hyper(*point)
    for point in product(
        range(len(RELEVANCES)),
        (1e-2, 1e-1, 1.0),
        (1e-5, 1e-4, 1e-3, 1e-2, 1e-1),
        (0.5, 1.0, 2.0),
        (3e-6, 3e-5, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2),
    )
)


@dataclass(frozen=True)
class GaussianProcess:
    """The posterior of a sum of a constant, a linear and a Matérn-5/2 function, given noisy targets.

    Attributes:
        inputs: `[n, d]`, standardised.
        second: `[d]`: which columns are of the second group (see `RELEVANCES`).
        targets: `[n]`, of the order of 1.
        noise_shape: `[n]`: the noise's variance is this times `Hyper.noise`.
        hypers: the points of the grid that are averaged.
        weights: `[len(hypers)]`: theirs, adding up to 1.
    """

    inputs: Floats
    second: NDArray[np.bool_]
    targets: Floats
    noise_shape: Floats
    hypers: tuple[Hyper, ...]
    weights: Floats

    def mean(self, x: Floats) -> Floats:
        """Posterior means of the function at `x`, `[m, d] -> [m]`."""
        covariances = Covariances(x, self.inputs, self.second)
        found = np.zeros(len(x))
        for part in {(h.relevance, h.length): None for h in self.hypers}:
            found += covariances.correlation(*part) @ self._summed(lambda h: h.smooth, part)
        for relevance in {h.relevance: None for h in self.hypers}:
            found += covariances.inner(relevance) @ self._summed(lambda h: h.linear, (relevance,))
        return found + CONSTANT * float(self._summed(lambda h: 1.0, ()).sum())

    def _summed(self, variance: Callable[[Hyper], float], part: tuple[float, ...]) -> Floats:
        """The solutions of all points with relevance and length as in `part`, times a variance, `[n]`."""
        total = np.zeros(len(self.targets))
        for weight, hyper, (_, alpha) in zip(self.weights, self.hypers, self.factors, strict=True):
            if (hyper.relevance, hyper.length)[: len(part)] == part:
                total += weight * variance(hyper) * alpha
        return total

    def variance(self, x: Floats) -> Floats:
        """Posterior variances of the function at `x`, `[m, d] -> [m]`, within and between points."""
        from scipy.linalg import solve_triangular

        covariances = Covariances(x, self.inputs, self.second)
        means, variances = [], []
        for hyper, (factor, alpha) in zip(self.hypers, self.factors, strict=True):
            crossed = covariances(hyper)
            explained = solve_triangular(factor, crossed.T, lower=True, check_finite=False)
            prior = CONSTANT + hyper.linear * covariances.own(hyper.relevance) + hyper.smooth
            means.append(crossed @ alpha)
            variances.append(np.maximum(prior - np.einsum("nm,nm->m", explained, explained), 0))
        between = (np.array(means) - self.weights @ np.array(means)) ** 2
        return np.asarray(self.weights @ (np.array(variances) + between))

    @property
    def noise(self) -> float:
        """Mean variance of the noise where its shape is 1."""
        return float(self.weights @ [hyper.noise for hyper in self.hypers])

    @cached_property
    def factors(self) -> list[tuple[Floats, Floats]]:
        """The Cholesky factor of each covariance of the targets, and the inverse covariance times them.

        Raises:
            numpy.linalg.LinAlgError: a covariance is singular.
        """
        covariances = Covariances(self.inputs, self.inputs, self.second)
        return [_factor(covariances(h), h.noise * self.noise_shape, self.targets) for h in self.hypers]


def condition(
    inputs: Floats, second: NDArray[np.bool_], targets: Floats, noise_shape: Floats, *, seed: int = 0
) -> GaussianProcess:
    """The process given its attributes: the points of `GRID` of largest marginal likelihood.

    The likelihood is that of `_LARGEST_TO_CHOOSE` targets at most, drawn by `seed`; the prior on the grid
    is uniform, so that weights are proportional to likelihoods.
    """
    grid = [h for h in GRID if h.relevance == 0 or 0 < second.sum() < len(second)]
    some = np.sort(np.random.default_rng(seed).permutation(len(targets))[:_LARGEST_TO_CHOOSE])
    covariances = Covariances(inputs[some], inputs[some], second)
    noise, chosen = noise_shape[some], targets[some]
    logs = np.array([_log_likelihood(covariances(h), h.noise * noise, chosen) for h in grid])
    best = np.argsort(-logs, kind="stable")[:KEPT]
    weights = np.exp(logs[best] - logs[best[0]])
    kept = weights >= LEAST_WEIGHT * weights.sum()
    hypers = tuple(grid[i] for i in best[kept])
    return GaussianProcess(inputs, second, targets, noise_shape, hypers, weights[kept] / weights[kept].sum())


class Covariances:
    """Prior covariances of the function's values at `a`, `[m, d]`, and `b`, `[n, d]`, by hyper-parameters.

    Args:
        a: as above.
        b: as above.
        second: `[d]`, the columns of the second group.
    """

    def __init__(self, a: Floats, b: Floats, second: NDArray[np.bool_]) -> None:
        self._a, self._b, self._second = a, b, second
        self._inner: dict[int, Floats] = {}
        self._correlations: dict[tuple[int, float], Floats] = {}

    def __call__(self, hyper: Hyper) -> Floats:
        """Of the whole, `[m, n]`."""
        smooth = hyper.smooth * self.correlation(hyper.relevance, hyper.length)
        return np.asarray(CONSTANT + hyper.linear * self.inner(hyper.relevance) + smooth)

    def inner(self, relevance: int) -> Floats:
        """Of the linear part, `[m, n]`: inner products, the mean over columns."""
        if relevance not in self._inner:
            self._inner[relevance] = self._scaled(self._a, relevance) @ self._scaled(self._b, relevance).T
        return self._inner[relevance]

    def own(self, relevance: int) -> Floats:
        """Variances of the linear part at `a`, `[m]`."""
        return np.asarray((self._scaled(self._a, relevance) ** 2).sum(axis=1))

    def correlation(self, relevance: int, length: float) -> Floats:
        """Of the smooth part, `[m, n]`."""
        key = relevance, length
        if key not in self._correlations:
            norms = [(self._scaled(side, relevance) ** 2).sum(axis=1) for side in (self._a, self._b)]
            squared = norms[0][:, None] + norms[1] - 2 * self.inner(relevance)
            self._correlations[key] = matern(np.maximum(squared, 0), length)
        return self._correlations[key]

    def _scaled(self, x: Floats, relevance: int) -> Floats:
        scale = np.where(self._second, *RELEVANCES[relevance][::-1])
        return np.asarray(x * (scale / np.sqrt(max(1.0, float((scale**2).sum())))))


def matern(squared: Floats, length: float) -> Floats:
    """The Matérn-5/2 correlation of squared distances (Rasmussen and Williams, eq. 4.17)."""
    r = np.asarray(np.sqrt(5 * squared) / length)
    return np.asarray((1 + r + r * r / 3) * np.exp(-r), dtype=np.float64)


def _factor(covariance: Floats, noise: Floats, targets: Floats) -> tuple[Floats, Floats]:
    from scipy.linalg import cho_solve

    noisy = covariance + np.diag(noise + _JITTER)
    factor = np.asarray(np.linalg.cholesky(noisy), dtype=np.float64)
    return factor, np.asarray(cho_solve((factor, True), targets, check_finite=False))


def _log_likelihood(covariance: Floats, noise: Floats, targets: Floats) -> float:
    """The log marginal likelihood (Rasmussen and Williams, eq. 5.8) up to a constant."""
    factor, alpha = _factor(covariance, noise, targets)
    return float(-0.5 * targets @ alpha - np.log(np.diag(factor)).sum())


def read_hypers(rows: Floats) -> tuple[Hyper, ...]:
    """`[k, 4]` as hyper-parameters."""
    return tuple(Hyper(int(row[0]), *map(float, row[1:])) for row in rows)


def hyper_rows(hypers: Sequence[Hyper]) -> Floats:
    """Hyper-parameters as `[k, 4]`."""
    return np.array(hypers, dtype=np.float64).reshape(len(hypers), len(Hyper._fields))
