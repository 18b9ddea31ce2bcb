"""Pairs of architectures: how many a score puts in the right order."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hwnas.proxies.correlation.ranks import UNDEFINED, Ranks


@dataclass(frozen=True)
class PairCounts:
    """Unordered pairs of architectures by how score and truth order them; each pair is in one count.

    Attributes:
        concordant: both differ, and the better score has the better truth.
        discordant: both differ, and the better score has the worse truth.
        tied_score: the score is equal, the truth differs.
        tied_truth: the truth is equal, the score differs.
        tied_both: both are equal.
    """

    concordant: int = 0
    discordant: int = 0
    tied_score: int = 0
    tied_truth: int = 0
    tied_both: int = 0

    def __add__(self, other: PairCounts) -> PairCounts:
        return PairCounts(
            self.concordant + other.concordant,
            self.discordant + other.discordant,
            self.tied_score + other.tied_score,
            self.tied_truth + other.tied_truth,
            self.tied_both + other.tied_both,
        )

    @property
    def kendall(self) -> float:
        """Kendall's tau-b (Kendall, Biometrika 33, 1945); NaN where score or truth is constant."""
        ordered = self.concordant + self.discordant
        spread = math.sqrt(ordered + self.tied_truth) * math.sqrt(ordered + self.tied_score)
        if spread == 0:
            return math.nan
        return min(1.0, max(-1.0, (self.concordant - self.discordant) / spread))

    @property
    def accuracy(self) -> float:
        """Share, 0 to 1, of the pairs of different truth that the score orders rightly; NaN without any.

        A pair of equal score is lost, as in the notebook of Abdelfattah et al. (ICLR 2021) that prints 0.82
        for its vote.
        """
        different = self.concordant + self.discordant + self.tied_score
        return self.concordant / different if different else math.nan


def count_pairs(score: Ranks, truth: Ranks) -> PairCounts:
    """Counts over all pairs of N architectures in O(N log N), by ranks [N] each, none `UNDEFINED`."""
    pairs = len(score) * (len(score) - 1) // 2
    same_score, same_truth = (_pairs_within(np.bincount(ranks)) for ranks in (score, truth))
    cells = score * (int(truth.max(initial=0)) + 1) + truth
    both = _pairs_within(np.unique(cells, return_counts=True)[1])
    ordered = pairs - same_score - same_truth + both
    surplus = _concordant_less_discordant(score, truth, pairs - same_score, pairs - same_truth)
    return PairCounts(
        concordant=(ordered + surplus) // 2,
        discordant=(ordered - surplus) // 2,
        tied_score=same_score - both,
        tied_truth=same_truth - both,
        tied_both=both,
    )


def count_pairs_with_undefined(score: Ranks, truth: Ranks) -> PairCounts:
    """Counts over the pairs with one `UNDEFINED` score or two: below every other, tied among themselves."""
    size = int(truth.max(initial=0)) + 1
    scored, undefined = (
        np.bincount(truth[chosen], minlength=size) for chosen in (score != UNDEFINED, score == UNDEFINED)
    )
    up_to = np.cumsum(undefined)
    concordant, level = int(scored @ (up_to - undefined)), int(scored @ undefined)
    total = int(undefined.sum())
    same_truth = _pairs_within(undefined)
    return PairCounts(
        concordant=concordant,
        discordant=int(scored.sum()) * total - concordant - level,
        tied_score=total * (total - 1) // 2 - same_truth,
        tied_truth=level,
        tied_both=same_truth,
    )


def _pairs_within(counts: Ranks) -> int:
    """Pairs of equals where `counts` says how many there are of each."""
    return int((counts * (counts - 1) // 2).sum())


def _concordant_less_discordant(score: Ranks, truth: Ranks, unlike_score: int, unlike_truth: int) -> int:
    """The numerator of tau-b, from its value and its denominator: a whole number far below 2**52."""
    if not (unlike_score and unlike_truth):
        return 0
    from scipy.stats import kendalltau

    tau = float(kendalltau(score, truth).statistic)
    return round(tau * math.sqrt(unlike_score) * math.sqrt(unlike_truth))
