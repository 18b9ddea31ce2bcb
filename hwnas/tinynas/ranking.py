"""Which space comes first, and how sure that is: the bootstrap (Efron and Tibshirani, 1993)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwnas.tinynas.sampling import Draws
from hwnas.tinynas.statistics import Criterion

Floats = NDArray[np.float64]
RESAMPLES = 1000
CONTENDERS = 20
"""Spaces beyond this rank are not resampled."""
LEAST_SATISFYING = 20
"""Networks of a space below which a resample of them says nothing of others that might be drawn."""
RULED_OUT = 0.005
"""Probability of being the first up to which a space is out of the question."""
_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class Ranking:
    """Spaces in their order.

    Attributes:
        order: names, the best first.
        probabilities: of being the first, by name; None where too few networks of a space that may be the
            first satisfy the limits to say so.
        undecided: of which more networks would tell more.
    """

    order: list[str]
    probabilities: dict[str, float] | None
    undecided: list[str]

    def is_sure(self, confidence: float) -> bool:
        """Whether one space is the first with this probability."""
        return self.probabilities is not None and max(self.probabilities.values()) >= confidence


def rank_spaces(
    draws: Mapping[str, Draws], criterion: Criterion, min_feasible: float, seed: Sequence[int]
) -> Ranking:
    """The ranking of what was drawn; at least one network satisfies the limits."""
    order = ranked(draws, criterion, min_feasible)
    if few := _with_too_few(order, draws, criterion, min_feasible):
        return Ranking(order, None, few)
    probabilities = first_probabilities(order, draws, criterion, min_feasible, seed)
    return Ranking(order, probabilities, [name for name in order if probabilities[name] > RULED_OUT])


def _with_too_few(
    order: Sequence[str], draws: Mapping[str, Draws], criterion: Criterion, min_feasible: float
) -> list[str]:
    """Contenders with fewer than `LEAST_SATISFYING` networks; flagged ones only where the first is, too."""
    contenders = _contenders(order, draws, criterion, min_feasible)
    if not is_flagged(draws[order[0]], min_feasible):
        contenders = [name for name in contenders if not is_flagged(draws[name], min_feasible)]
    return [name for name in contenders if len(draws[name].macs) < LEAST_SATISFYING]


def score(draws: Draws, criterion: Criterion) -> float:
    """The criterion of what was drawn; NaN where no network satisfies the limits."""
    if not len(draws.macs):
        return float("nan")
    return float(criterion(draws.macs, np.array(len(draws.macs) / draws.drawn)))


def ranked(draws: Mapping[str, Draws], criterion: Criterion, min_feasible: float) -> list[str]:
    """Names of the spaces, the best first.

    Spaces of which at least `min_feasible` satisfies the limits come before the others, and those of which
    nothing does come last, the fullest of what is nearest first; equal ones keep their order.
    """

    def key(name: str) -> tuple[int, float]:
        found = draws[name]
        if not len(found.macs):
            return 2, found.nearest.violation if found.nearest else float("inf")
        return int(is_flagged(found, min_feasible)), -score(found, criterion)

    return sorted(draws, key=key)


def is_flagged(draws: Draws, min_feasible: float) -> bool:
    """Whether fewer than `min_feasible` of the networks satisfy the limits, or none."""
    return not len(draws.macs) or len(draws.macs) / draws.drawn < min_feasible


def first_probabilities(
    order: Sequence[str],
    draws: Mapping[str, Draws],
    criterion: Criterion,
    min_feasible: float,
    seed: Sequence[int],
) -> dict[str, float]:
    """With which probability each space is the first, by `RESAMPLES` resamples.

    A resample draws as many satisfying networks anew as were found, with replacement, and their fraction
    from its binomial distribution; so spaces near `min_feasible` win or lose by that too. The first
    `CONTENDERS` of `order` are looked at, and flagged ones whose score would place them among these. At
    least one network must satisfy the limits.
    """
    contenders = _contenders(order, draws, criterion, min_feasible)
    scores, fractions = np.empty((2, len(contenders), RESAMPLES))
    for row, name in enumerate(contenders):
        found = draws[name]
        generator = np.random.default_rng([*seed, row])
        satisfying = generator.binomial(found.drawn, len(found.macs) / found.drawn, RESAMPLES)
        fractions[row] = satisfying / found.drawn
        scores[row] = _resampled(found.macs, fractions[row], criterion, generator)
    wins = np.bincount(_winners(scores, fractions >= min_feasible), minlength=len(contenders))
    known = dict(zip(contenders, (wins / RESAMPLES).tolist(), strict=True))
    return {name: known.get(name, 0.0) for name in order}


def _contenders(
    order: Sequence[str], draws: Mapping[str, Draws], criterion: Criterion, min_feasible: float
) -> list[str]:
    satisfied = [name for name in order if len(draws[name].macs)]
    first, others = satisfied[:CONTENDERS], satisfied[CONTENDERS:]
    least = min((score(draws[name], criterion) for name in first), default=0.0)
    behind = [name for name in others if is_flagged(draws[name], min_feasible)]
    return first + [name for name in behind if score(draws[name], criterion) > least]


def _resampled(
    macs: Floats, fraction: Floats, criterion: Criterion, generator: np.random.Generator
) -> Floats:
    """`[RESAMPLES]`: the criterion of as many networks drawn anew, a part of the resamples at a time."""
    rows = max(1, _AT_ONCE // len(macs))
    return np.concatenate(
        [
            criterion(macs[generator.integers(len(macs), size=(len(part), len(macs)))], part)
            for part in np.split(fraction, range(rows, RESAMPLES, rows))
        ]
    )


def _winners(scores: Floats, is_eligible: NDArray[np.bool_]) -> NDArray[np.intp]:
    """`[resamples]`: the row of the highest score, eligible ones before all others."""
    counted = is_eligible | ~is_eligible.any(axis=0)
    winners: NDArray[np.intp] = np.where(counted, scores, -np.inf).argmax(axis=0)
    return winners
