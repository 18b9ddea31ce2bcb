"""Robust Gaussian-process regression on a sum of kernels, averaged over their variances.

The target is a sum of independent functions, each with a kernel of its own and an unknown variance, plus
noise of heavy tails. Variances are averaged by marginal likelihood over a fixed set of points instead of
being maximised: with ten or twenty targets the maximum says little (Rasmussen and Williams, "Gaussian
Processes for Machine Learning", 2006, section 5.2). The noise is Student's t, which measurements that were
disturbed by other work ask for, as a scale mixture of normal noises (Jylänki et al., JMLR 2011, eq. 7).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CONSTANT = 100.0
"""Prior variance of a common offset of all targets, which are of the order of 1: it is free."""

POINTS, KEPT, KEPT_FOR_VARIANCES = 512, 64, 12
"""Points of variances tried; averaged at most; averaged in predictive variances, which cost most."""

TO_CHOOSE = 128
"""Targets by which the averaged points are chosen, at most."""

MOST_TARGETS = 4096
"""Targets that a posterior takes: the time to invert a covariance grows with their third power."""

_MOST_CELLS = 1 << 21
"""Cells of all inverses together, beyond which fewer points are averaged: many targets tell them apart."""

FREEDOM = 3.0
"""Degrees of freedom of the noise."""

ROUNDS = 4
"""Rounds in which the targets' precisions follow from their errors when left out."""

LARGEST_ERROR = 3.0
"""Standard deviations; see `Posterior.excess`."""

PREDICTIVE_FREEDOM = 6.0
"""Degrees of freedom of a new target around its prediction: the noise's, and those of what was averaged."""

NOISE = (1e-5, 3e-2)
"""Least and largest variance of the noise, for a target of 1."""

SMALL = 0.1
"""Targets below this are as noisy as one of this size: near-empty networks do not rule."""


@dataclass(frozen=True)
class Variances:
    """Points of prior variances, of the noise too: `[m, kernels]` and `[m]`."""

    kernels: Floats
    noise: Floats

    def __getitem__(self, chosen: NDArray[np.int64]) -> Variances:
        """The points of these numbers."""
        return Variances(self.kernels[chosen], self.noise[chosen])


def prior(ranges: Sequence[tuple[float, float]]) -> Variances:
    """`POINTS` points, evenly spread in the logarithms over the kernels' `ranges` and `NOISE` (Sobol).

    `ranges` are the least and largest variance of each kernel, in the order of the grams' first axis.
    """
    from scipy.stats.qmc import Sobol

    low, high = np.log(np.array([*ranges, NOISE])).T
    even = Sobol(len(low), seed=0).random(POINTS)
    points = np.exp(low + even * (high - low))
    return Variances(points[:, :-1], points[:, -1])


@dataclass(frozen=True)
class Posterior:
    """What n targets tell, at each of m points of variances.

    Attributes:
        targets: `[n]`.
        precisions: `[n]`: the noise's variance of a target is divided by this; 1 for an ordinary one.
        variances: the points.
        weights: `[m]`, of the points, descending, adding up to 1.
        inverses: `[m, n, n]`, of the targets' covariances, noise included.
    """

    targets: Floats
    precisions: Floats
    variances: Variances
    weights: Floats
    inverses: Floats

    @property
    def _coefficients(self) -> Floats:
        return np.asarray(self.inverses @ self.targets)  # [m, n]

    def mean(self, grams: Floats) -> Floats:
        """Posterior means, `[N]`, where `grams` are the kernels' values `[kernels, N, n]`."""
        weighted = self.weights[:, None] * self._coefficients
        per_kernel = self.variances.kernels.T @ weighted
        return np.asarray(np.einsum("kNn,kn->N", grams, per_kernel) + CONSTANT * weighted.sum())

    @property
    def excess(self) -> float:
        """How much larger the errors of left-out targets are than they should be, at least 1.

        The root mean square over their standard deviations, single ones counting as `LARGEST_ERROR` at most.
        Above 1 where a device has two speeds, say, and each looks like a disturbance of the other.
        """
        squares = np.minimum(_left_out_squares(self), LARGEST_ERROR**2)
        return max(1.0, float(np.sqrt(squares.mean())))

    def variance(self, grams: Floats, own: Floats) -> Floats:
        """Predictive variances of new targets, `[N]`, noise included and enlarged by `excess`.

        Args:
            grams: as for `mean`.
            own: each kernel's values of an input with itself, `[kernels, N]`.
        """
        mean = self.mean(grams)
        noise = np.maximum(np.abs(mean), SMALL) ** 2
        total = np.zeros_like(mean)
        weights = self.weights[:KEPT_FOR_VARIANCES] / self.weights[:KEPT_FOR_VARIANCES].sum()
        coefficients = self._coefficients
        for i, weight in enumerate(weights):
            kernels = self.variances.kernels[i]
            crossed = np.tensordot(kernels, grams, 1) + CONSTANT
            explained = np.einsum("Nn,Nn->N", crossed @ self.inverses[i], crossed)
            within = np.maximum(kernels @ own + CONSTANT - explained, 0)
            between = (crossed @ coefficients[i] - mean) ** 2
            total += weight * (within + between + self.variances.noise[i] * noise)
        return total * self.excess**2


def most_points(n: int) -> int:
    """How many points are averaged at most, given n targets."""
    return max(1, min(KEPT, _MOST_CELLS // n**2))


def infer(grams: Floats, targets: Floats, points: Variances) -> Posterior:
    """The posterior given targets of order 1, `[n]`, and the kernels' values among them, `[kernels, n, n]`.

    The `most_points(n)` points of largest marginal likelihood under ordinary noise are averaged; then the
    targets' precisions, (ν + 1) / (ν + error² / variance) with each target's error when it is left out, and
    the weights of the points follow from each other for `ROUNDS`.

    Raises:
        ValueError: there are more than `MOST_TARGETS` targets.
    """
    if len(targets) > MOST_TARGETS:
        raise ValueError(
            f"a Gaussian process takes at most {MOST_TARGETS} measured networks, not {len(targets)}: fit "
            "another kind, such as gbm"
        )
    points = _likeliest(grams, targets, points)
    precisions = np.ones(len(targets))
    for _ in range(ROUNDS):
        posterior = _given(grams, targets, precisions, points)
        precisions = (FREEDOM + 1) / (FREEDOM + _left_out_squares(posterior))
    return _given(grams, targets, precisions, points)


def _likeliest(grams: Floats, targets: Floats, points: Variances) -> Variances:
    """The points to average: the likeliest by `TO_CHOOSE` of the targets, always the same ones, at most."""
    some = np.sort(np.random.default_rng(0).permutation(len(targets))[:TO_CHOOSE])
    among, chosen = grams[:, some[:, None], some], targets[some]
    logs = _log_likelihoods(_covariances(among, chosen, np.ones(len(some)), points), chosen)
    return points[np.argsort(-logs)[: most_points(len(targets))]]


def again(
    grams: Floats, targets: Floats, precisions: Floats, points: Variances, weights: Floats
) -> Posterior:
    """The posterior of which everything but the inverses is known.

    Args:
        grams: the kernels' values among the targets, `[kernels, n, n]`.
        targets: `[n]`.
        precisions: `[n]`.
        points: m of them.
        weights: `[m]`.

    Raises:
        numpy.linalg.LinAlgError: a covariance is singular.
    """
    return Posterior(
        targets,
        precisions,
        points,
        weights,
        np.asarray(np.linalg.inv(_covariances(grams, targets, precisions, points))),
    )


def _given(grams: Floats, targets: Floats, precisions: Floats, points: Variances) -> Posterior:
    """The posterior at precisions `[n]`; grams and targets as for `infer`."""
    logs = _log_likelihoods(_covariances(grams, targets, precisions, points), targets)
    order = np.argsort(-logs)
    weights = np.exp(logs[order] - logs[order[0]])
    return again(grams, targets, precisions, points[order], weights / weights.sum())


def _covariances(grams: Floats, targets: Floats, precisions: Floats, points: Variances) -> Floats:
    """Of the targets, noise included: `[m, n, n]`, given `[kernels, n, n]`, `[n]`, `[n]` and m points."""
    found = np.asarray(np.tensordot(points.kernels, grams, 1))
    found += CONSTANT
    diagonals = np.einsum("mnn->mn", found)
    diagonals += points.noise[:, None] * (np.maximum(np.abs(targets), SMALL) ** 2 / precisions)
    return found


def _log_likelihoods(covariances: Floats, targets: Floats) -> Floats:
    """Log marginal likelihoods but for a constant (Rasmussen and Williams, eq. 5.8).

    `[m, n, n], [n] -> [m]`.
    """
    factors = np.linalg.cholesky(covariances)
    solved = np.linalg.solve(factors, np.broadcast_to(targets[:, None], (*factors.shape[:2], 1)))[..., 0]
    logs = np.log(np.diagonal(factors, axis1=1, axis2=2))
    return np.asarray(-0.5 * (solved**2).sum(axis=1) - logs.sum(axis=1))


def _left_out_squares(posterior: Posterior) -> Floats:
    """Squared errors of targets left out over their variance under ordinary noise, `[n]`.

    In closed form (Rasmussen and Williams, eq. 5.12): error (K⁻¹y)ᵢ / (K⁻¹)ᵢᵢ, variance 1 / (K⁻¹)ᵢᵢ.
    """
    own = np.diagonal(posterior.inverses, axis1=1, axis2=2)
    errors = posterior._coefficients / own
    shape = np.maximum(np.abs(posterior.targets), SMALL) ** 2
    ordinary = posterior.variances.noise[:, None] * shape
    function = np.maximum(1 / own - ordinary / posterior.precisions, 0)
    return np.asarray(posterior.weights @ (errors**2 / (function + ordinary)))
