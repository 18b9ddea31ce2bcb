"""A posterior as named plain arrays, without the inverses, which follow from the rest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hwnas.latency.predictors.arrays import Arrays
from hwnas.latency.predictors.mixture import MOST_TARGETS, Floats, Posterior, Variances, again, most_points

LARGEST = 1e6
"""Numbers of a file are refused beyond this: nothing scaled comes near it."""


def posterior_arrays(posterior: Posterior) -> dict[str, NDArray[np.generic]]:
    """What `read_posterior` reads."""
    return {
        "targets": posterior.targets,
        "precisions": posterior.precisions,
        "kernel_variances": posterior.variances.kernels,
        "noise_variances": posterior.variances.noise,
        "weights": posterior.weights,
    }


def read_posterior(arrays: Arrays, grams: Floats) -> Posterior:
    """What `arrays` and the kernels' values among the targets, `[kernels, n, n]`, describe.

    Raises:
        ValueError: a field is wrong, or there are more targets or points than a fit gives; it is named.
    """
    targets, weights = read_targets(arrays), arrays.floats("weights", None)
    most = most_points(len(targets))
    arrays.require(0 < len(weights) <= most, "weights", f"1 to {most} shares of 1")
    is_share = bool((weights >= 0).all()) and abs(float(weights.sum()) - 1) < 1e-6
    arrays.require(is_share, "weights", "shares of 1")
    precisions = _positive(arrays, "precisions", len(targets))
    points = Variances(
        _positive(arrays, "kernel_variances", len(weights), len(grams)),
        _positive(arrays, "noise_variances", len(weights)),
    )
    try:
        found = again(grams, targets, precisions, points, weights)
    except np.linalg.LinAlgError:
        raise ValueError(f"{arrays.where}: the covariances cannot be inverted") from None
    is_finite = bool(np.isfinite(found.inverses).all())
    arrays.require(is_finite, "kernel_variances", "such that covariances can be inverted")
    return found


def read_targets(arrays: Arrays) -> Floats:
    """The targets of a file, `[n]`, n at most `MOST_TARGETS`; raises ValueError naming the field."""
    targets = _positive(arrays, "targets", None)
    arrays.require(0 < len(targets) <= MOST_TARGETS, "targets", f"1 to {MOST_TARGETS} numbers")
    return targets


def read_inputs(arrays: Arrays, name: str, *shape: int) -> Floats:
    """Encoded networks of a file, of `shape`; raises ValueError naming the field."""
    found = arrays.floats(name, *shape)
    arrays.require(bool((np.abs(found) <= LARGEST).all()), name, "of plausible size")
    return found


def _positive(arrays: Arrays, name: str, *shape: int | None) -> Floats:
    found = arrays.floats(name, *shape)
    arrays.require(bool(((found > 0) & (found <= LARGEST)).all()), name, "positive and of plausible size")
    return found
