"""Values as surrogates learn them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def scaled(values: Floats) -> Floats:
    """`[n]` times a power of 2 such that none exceeds 1, and differences of any finite values are finite."""
    _, exponent = np.frexp(np.abs(values).max(initial=0.0))
    return np.asarray(np.ldexp(values, -exponent))


def standardised(values: Floats) -> Floats:
    """`[n]` of mean 0 and variance 1, the worst cut off.

    Networks that failed to learn lie far below the others; how far does not matter. So values are cut off
    below the median by twice what the best is above it.
    """
    values = scaled(values)
    median = np.median(values)
    cut = np.maximum(values, median - 2 * (values.max() - median))
    spread = float(cut.std())
    return np.asarray((cut - cut.mean()) / spread) if spread > 0 else np.zeros(len(values))
