"""All figures of one proxy, from ranks; and why one is undefined."""

from __future__ import annotations

import math
from typing import NamedTuple

from hwnas.proxies.correlation.pairs import count_pairs, count_pairs_with_undefined
from hwnas.proxies.correlation.ranks import UNDEFINED, Ranks, spearman
from hwnas.proxies.correlation.top import (
    PICKS,
    best,
    top_64_in_top_twentieth,
    top_tenth_in_top_tenth,
)

FEWEST = 3


class Figures(NamedTuple):
    """The figures that `Correlation` explains; NaN where undefined."""

    spearman: float
    kendall: float
    spearman_undefined_last: float
    kendall_undefined_last: float
    spearman_top_10: float
    kendall_top_10: float
    top_10_in_top_10: float
    top_64_in_top_5: float
    pair_accuracy: float


NAMES = Figures._fields


def figures(score: Ranks, truth: Ranks) -> Figures:
    """The figures of `score` [N], `UNDEFINED` where there is none, and `truth` [N]."""
    scored = score != UNDEFINED
    s, t = score[scored], truth[scored]
    if len(s) < FEWEST:
        return Figures(*[math.nan] * len(NAMES))
    pairs = count_pairs(s, t)
    everywhere = (spearman(s, t), pairs.kendall)
    last = everywhere
    if len(s) < len(score):
        last = (spearman(score, truth), (pairs + count_pairs_with_undefined(score, truth)).kendall)
    return Figures(
        *everywhere,
        *last,
        *_within_the_best(s, t),
        top_tenth_in_top_tenth(s, t),
        top_64_in_top_twentieth(s, t),
        pairs.accuracy,
    )


def _within_the_best(score: Ranks, truth: Ranks) -> tuple[float, float]:
    """Spearman and Kendall over the top 10 % by truth; NaN where these are fewer than 3."""
    chosen = best(truth, one_in=10)
    if chosen.sum() < FEWEST:
        return math.nan, math.nan
    s, t = score[chosen], truth[chosen]
    return spearman(s, t), count_pairs(s, t).kendall


def why_undefined(name: str, score: Ranks, truth: Ranks) -> str:
    """Why the figure `name` of `figures(score, truth)` is NaN."""
    scored = score != UNDEFINED
    s, t = score[scored], truth[scored]
    if len(s) < FEWEST:
        return f"{len(s)} architectures have a score; at least {FEWEST} are needed"
    if name.endswith("undefined_last"):
        s, t = score, truth
    if name == "top_64_in_top_5" and len(s) <= PICKS:
        return f"{len(s)} architectures have a score; more than {PICKS} are needed"
    where = "all architectures"
    if "top" in name:
        percent, one_in = (5, 20) if name == "top_64_in_top_5" else (10, 10)
        chosen = best(t, one_in=one_in)
        if not chosen.any():
            return f"the highest truth is shared by more than {percent} % of the architectures"
        if chosen.sum() < FEWEST:
            return f"the top {percent} % are {chosen.sum()} architectures; at least {FEWEST} are needed"
        s, t, where = s[chosen], t[chosen], f"the top {percent} %"
    return f"{where} have the same {'truth' if (t == t[0]).all() else 'score'}"
