"""Intervals by the bootstrap: the same figure of architectures drawn again and again.

The percentile bootstrap (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13). Each
resample draws N of the N architectures with replacement, and every figure is computed anew from it, its top
10 % included. The draws depend on N and the seed alone: proxies judged on the same architectures are judged
on the same resamples.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hwnas.proxies.correlation.ranks import Floats, Ranks

PERCENTILES = (2.5, 97.5)


def resamples_of(n: int, *, resamples: int, seed: int) -> Iterator[Ranks]:
    """Positions [n] of the architectures in each resample."""
    rng = np.random.default_rng(seed)
    for _ in range(resamples):
        yield rng.integers(n, size=n)


def interval(drawn: Floats) -> tuple[float, float]:
    """The 2.5th and 97.5th percentile of a figure's values [resamples].

    Resamples in which the figure is undefined (NaN) are left out; where more than half are, both are NaN.
    """
    known = drawn[np.isfinite(drawn)]
    if 2 * len(known) < len(drawn) or not len(known):
        return float("nan"), float("nan")
    low, high = np.percentile(known, PERCENTILES)
    return float(low), float(high)
