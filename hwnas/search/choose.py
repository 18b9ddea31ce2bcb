"""Which candidates to verify next: those that are expected to improve the most on what is verified.

A candidate of merit f that satisfies its constraints with probability p improves on the best verified merit
f* by p · max(f - f*, 0) on average (Schonlau, Welch and Jones, "Global versus Local Search in Constrained
Optimization of Computer Models", 1998, section 4; Gardner et al., "Bayesian Optimization with Inequality
Constraints", ICML 2014, eq. 5). Those that a cautious bound rules out are tried where they promise much, and
nothing is measured that cannot improve.

Of several that are verified together each is chosen for what it adds to those before it, whose outcomes are
not known yet and are taken to be independent (Ginsbourger, Le Riche and Carraro, "Kriging Is Well-Suited to
Parallelize Optimization", 2010, section 3: the improvement of several points).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEAST_PROBABILITY = 1e-3
"""Candidates that satisfy the constraints with less are not tried."""


def verify_in_turn(
    merits: Floats,
    probabilities: Floats,
    most: int,
    satisfied: Callable[[list[int]], Sequence[bool]],
    best: float | None = None,
) -> list[int]:
    """Verify up to `most` candidates: `most // 3 + 1` together, then one by one as the outcomes tell.

    Args:
        merits: `[n]`, as of `next_to_verify`.
        probabilities: `[n]`, as of `next_to_verify`.
        most: how many are verified at most; fewer where no other can improve.
        satisfied: verifies the candidates at these positions, and says which satisfy the constraints.
        best: the largest merit that is verified already, if any.

    Returns:
        Positions of those verified, in that order.

    Raises:
        ValueError: a probability is outside 0 to 1.
    """
    left = merits.copy()
    verified: list[int] = []
    while len(verified) < most:
        chosen = next_to_verify(left, probabilities, best, 1 if verified else most // 3 + 1)
        if not chosen:
            break
        good = [merits[i] for i, is_good in zip(chosen, satisfied(chosen), strict=True) if is_good]
        best = max(good if best is None else [best, *good], default=None)
        left[chosen] = np.nan
        verified += chosen
    return verified


def next_to_verify(merits: Floats, probabilities: Floats, best: float | None, most: int = 1) -> list[int]:
    """Positions of up to `most` candidates of largest expected improvement, the first of equals first.

    Args:
        merits: `[n]`: what is maximised, of candidates that are not verified yet; NaN where it is unknown.
        probabilities: `[n]`: with which each satisfies all constraints.
        best: the largest verified merit; None where nothing is verified. Any candidate then improves: on the
            least merit of all, and the least by its probability.
        most: how many to verify together; fewer are given where no other can improve.

    Raises:
        ValueError: a probability is outside 0 to 1.
    """
    if not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise ValueError("probabilities must be numbers from 0 to 1")
    possible = ~np.isnan(merits) & (probabilities >= LEAST_PROBABILITY)
    if not possible.any():
        return []
    outcomes = {_below(merits[possible]) if best is None else best: 1.0}
    chosen: list[int] = []
    while len(chosen) < most:
        expected = np.where(possible, _improvements(merits, outcomes) * probabilities, 0)
        position = int(expected.argmax())
        if not expected[position] > 0:
            break
        chosen.append(position)
        possible[position] = False
        outcomes = _with(outcomes, float(merits[position]), float(probabilities[position]))
    return chosen


def _below(merits: Floats) -> float:
    """A value just below the least of `merits`, `[n]`."""
    least = float(merits.min())
    return least - 1e-9 * (max(float(np.ptp(merits)), abs(least)) or 1.0)


def _improvements(merits: Floats, outcomes: dict[float, float]) -> Floats:
    """`[n]`: by how much each merit exceeds the best verified one, on average over its possible values."""
    gains = [weight * np.maximum(merits - best, 0) for best, weight in outcomes.items()]
    return np.asarray(np.sum(gains, axis=0))


def _with(outcomes: dict[float, float], merit: float, probability: float) -> dict[float, float]:
    """Probabilities of the best verified merit's values, after one more candidate is verified."""
    found: dict[float, float] = {}
    for best, weight in outcomes.items():
        for value, share in ((max(best, merit), probability), (best, 1 - probability)):
            found[value] = found.get(value, 0.0) + weight * share
    return found
