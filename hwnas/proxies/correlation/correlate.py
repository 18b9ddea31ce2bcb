"""One proxy against the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hwnas.proxies.correlation.bootstrap import interval, resamples_of
from hwnas.proxies.correlation.figures import NAMES, figures, why_undefined
from hwnas.proxies.correlation.ranks import UNDEFINED, Floats, dense_ranks
from hwnas.proxies.correlation.statistic import Statistic


@dataclass(frozen=True)
class Correlation:
    """How well a score ranks architectures of known truth.

    Scores count in the direction in which they are meant to rank: a positive correlation is a good one
    whatever the direction. A score is undefined where it is NaN or infinite. Unless said otherwise, a figure
    is over the `scored` architectures alone ("computed with NaN omitted", Gracheva, arXiv:2302.04406v2,
    section 2.1), so it is to be read next to `coverage`.

    Attributes:
        known: number of architectures whose truth is known.
        scored: how many of them have a score.
        spearman: Spearman's rank correlation, -1 to 1.
        kendall: Kendall's tau-b, -1 to 1.
        spearman_undefined_last: Spearman over all `known`, undefined scores ranked below all others and equal
            among themselves.
        kendall_undefined_last: Kendall's tau-b likewise.
        spearman_top_10: Spearman inside the top 10 % by truth: those strictly above the 90th percentile of
            the truth of the `scored`.
        kendall_top_10: Kendall's tau-b likewise.
        top_10_in_top_10: percentage of the top 10 % by score that are among the top 10 % by truth, 0 to 100
            (see `hwnas.proxies.correlation.top`).
        top_64_in_top_5: number of the 64 of highest score that are among the top 5 % by truth, 0 to 64.
        pair_accuracy: share, 0 to 1, of the pairs of different truth that the score orders rightly; a pair of
            equal score is lost.
    """

    known: int
    scored: int
    spearman: Statistic
    kendall: Statistic
    spearman_undefined_last: Statistic
    kendall_undefined_last: Statistic
    spearman_top_10: Statistic
    kendall_top_10: Statistic
    top_10_in_top_10: Statistic
    top_64_in_top_5: Statistic
    pair_accuracy: Statistic

    @property
    def coverage(self) -> float:
        """Share of the architectures that have a score, 0 to 1; NaN where no truth is known."""
        return self.scored / self.known if self.known else float("nan")

    def statistics(self) -> dict[str, Statistic]:
        """The figures by name."""
        return {name: getattr(self, name) for name in NAMES}


def correlate(
    scores: ArrayLike,
    truth: ArrayLike,
    *,
    higher_is_better: bool = True,
    seed: int = 0,
    resamples: int = 200,
) -> Correlation:
    """Judge a proxy's scores by the truth.

    A figure that cannot be computed is NaN with a reason: fewer than 3 scores, a constant truth or score, a
    top 10 % of fewer than 3.

    Args:
        scores: [N]; NaN or infinite where undefined.
        truth: [N], such as accuracies, higher being better; an architecture where it is NaN is left out.
        higher_is_better: the direction in which the scores are meant to rank.
        seed: of the resamples.
        resamples: of the bootstrap, each of all architectures whose truth is known; at least 1.

    Raises:
        ValueError: the arguments are no two rows of equal length, the truth is infinite, or `resamples` is
            below 1.
    """
    s, t = _row("scores", scores), _row("truth", truth)
    if len(s) != len(t):
        raise ValueError(f"scores: {len(s)} of them for {len(t)} values of truth; pass one for each")
    if np.isinf(t).any():
        raise ValueError("truth: it holds infinite values; pass NaN where it is not known")
    if resamples < 1:
        raise ValueError(f"resamples: {resamples}; at least 1 is needed")
    known = ~np.isnan(t)
    score = dense_ranks(s[known] if higher_is_better else -s[known])
    ranked = dense_ranks(t[known])
    point = figures(score, ranked)
    draws = resamples_of(len(ranked), resamples=resamples, seed=seed)
    drawn = np.array([figures(score[draw], ranked[draw]) for draw in draws] if len(ranked) else [point])
    found = {
        name: Statistic(value, *interval(column))
        if np.isfinite(value)
        else Statistic(value, np.nan, np.nan, why_undefined(name, score, ranked))
        for name, value, column in zip(NAMES, point, drawn.T, strict=True)
    }
    return Correlation(known=int(known.sum()), scored=int((score != UNDEFINED).sum()), **found)


def _row(name: str, values: ArrayLike) -> Floats:
    try:
        row = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: not numbers; pass a row of numbers (N,)") from None
    if row.ndim != 1:
        raise ValueError(f"{name}: the shape is {row.shape}; pass a row of numbers (N,)")
    return row
