"""Which candidate to verify next: the one that is expected to improve the most on what is verified.

A candidate of merit f that satisfies its constraints with probability p improves on the best verified merit
f* by p · max(f - f*, 0) on average (Schonlau, Welch and Jones, "Global versus Local Search in Constrained
Optimization of Computer Models", 1998, section 4; Gardner et al., "Bayesian Optimization with Inequality
Constraints", ICML 2014, eq. 5). Those that a cautious bound rules out are tried where they promise much, and
nothing is measured that cannot improve.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEAST_PROBABILITY = 1e-3
"""Candidates that satisfy the constraints with less are not tried."""


def next_to_verify(merits: Floats, probabilities: Floats, best: float | None) -> int | None:
    """Position of the candidate of largest expected improvement, the first of equals; None if none improves.

    Args:
        merits: `[n]`: what is maximised, of candidates that are not verified yet; NaN where it is unknown.
        probabilities: `[n]`: with which each satisfies all constraints.
        best: the largest verified merit; None where nothing is verified. Any candidate then improves: on the
            least merit of all, and the least by its probability.

    Raises:
        ValueError: a probability is outside 0 to 1.
    """
    if not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise ValueError("probabilities must be numbers from 0 to 1")
    possible = ~np.isnan(merits) & (probabilities >= LEAST_PROBABILITY)
    if not possible.any():
        return None
    if best is None:
        known = merits[possible]
        gains = merits - known.min() + (np.ptp(known) or 1.0) * 1e-9
    else:
        gains = np.maximum(merits - best, 0)
    expected = np.where(possible, gains * probabilities, 0)
    return int(expected.argmax()) if expected.max() > 0 else None
