"""Which networks to measure, before anything is measured.

Under a linear-Gaussian prior the posterior variances depend on what is measured, not on what comes out
(Chaloner and Verdinelli, "Bayesian Experimental Design: A Review", Statistical Science 1995). I-optimal: the
least mean variance over the networks that matter. D-optimal: the most information about the weights, which
is each time the network of largest variance. Both are greedy, which for D loses a share of at most 1/e
(Nemhauser et al., 1978: the information is submodular).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hwnas.latency.predictors.mixture import CONSTANT
from hwnas.latency.transfer.encoder import Encoder
from hwnas.network.network import Network

Floats = NDArray[np.float64]

CRITERIA = ("I", "D")
NOISE = 1e-3
"""Variance of the noise of a measurement, where the latencies are of order 1."""


def design(
    encoder: Encoder, population: Sequence[Network], n: int, *, criterion: str = "I"
) -> NDArray[np.int64]:
    """Positions in `population` of the `n` networks whose latencies tell the most of the others.

    The prior is that of `TransferPredictor` with each kernel's variance at the middle of its range, the
    smooth kernel left out.

    Args:
        encoder: as the predictor will use it.
        population: networks like those to be predicted, such as a thousand random ones of the space.
        n: how many to measure; 20 is good, 10 will do.
        criterion: `I` for a small variance of all predictions, `D` for the most information. With ten
            networks I is the safer one: D goes to extremes.

    Raises:
        ValueError: fewer networks than `n`, or another criterion.
    """
    inputs = encoder(population).columns.linear
    variances = [np.sqrt(low * high) for low, high in encoder.ranges[: len(inputs)]]
    weighted = [part * np.sqrt(variance) for part, variance in zip(inputs, variances, strict=True)]
    columns = np.concatenate([*weighted, np.full((len(population), 1), np.sqrt(CONSTANT))], axis=1)
    varying = columns[:, np.abs(columns).max(axis=0) > 0]
    return choose(varying, varying, n, criterion=criterion)


def choose(candidates: Floats, population: Floats, n: int, *, criterion: str = "I") -> NDArray[np.int64]:
    """Positions of `n` different candidates, in the order in which they were chosen.

    Args:
        candidates: `[c, d]`: inputs scaled such that the weights have prior variance 1.
        population: `[p, d]`: the inputs whose variances are to become small (I).
        n: how many.
        criterion: `I` or `D`.

    Raises:
        ValueError: fewer than `n` candidates, or another criterion.
    """
    if criterion not in CRITERIA:
        raise ValueError(f"criterion must be I or D, not {criterion!r}")
    if not 1 <= n <= len(candidates):
        raise ValueError(f"{n} networks of {len(candidates)} candidates cannot be chosen")
    second_moment = population.T @ population / len(population)
    crossed = candidates.copy()  # [c, d]: candidates times the weights' posterior covariance
    chosen: list[int] = []
    for _ in range(n):
        variances = (crossed * candidates).sum(axis=1) + NOISE
        gains = (
            ((crossed @ second_moment) * crossed).sum(axis=1) / variances if criterion == "I" else variances
        )
        gains[chosen] = -np.inf
        best = int(gains.argmax())
        chosen.append(best)
        direction = crossed[best] / np.sqrt(variances[best])
        crossed -= np.outer(candidates @ direction, direction)
    return np.array(chosen)
