"""What a score finds of the best architectures.

The rules are those of the epsilon metric's evaluation (Gracheva, arXiv:2302.04406v2,
section 2.1): undefined scores are left out first, and "the top 10 %" are those strictly above the 90th
percentile. Of N architectures without ties these are ceil((N - 1) / 10). Where scores are tied at the border,
the paper takes more or fewer architectures than it says; here the tied ones share the places that are left:
each count is the mean over all orders of the tied ones, and a constant score finds what chance finds.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hwnas.proxies.correlation.ranks import Floats, Ranks, at_place

PICKS = 64


def best(truth: Ranks, *, one_in: int) -> NDArray[np.bool_]:
    """Which [N] are strictly above the percentile 100 (1 - 1 / `one_in`) of `truth` [N], N at least 1.

    None are where more than one in `one_in` share the highest truth.
    """
    return np.asarray(truth > at_place(truth, (one_in - 1) * (len(truth) - 1) // one_in))


def chosen_by(score: Ranks, places: int) -> Floats:
    """How much of each [N] is among the `places` of highest score [N]: 0, 1, or a tied one's share."""
    border = at_place(score, len(score) - places)
    above, tied = score > border, score == border
    return np.asarray(above + tied * ((places - above.sum()) / tied.sum()), dtype=np.float64)


def top_tenth_in_top_tenth(score: Ranks, truth: Ranks) -> float:
    """Percentage (0 to 100) of the top 10 % by score that are among the top 10 % by truth; both [N].

    The denominator is the number of architectures in the top 10 % by score, ceil((N - 1) / 10). NaN for N < 2
    and where the truth's top 10 % is empty because of ties.
    """
    if len(score) < 2:
        return float("nan")
    good, places = best(truth, one_in=10), -(-(len(score) - 1) // 10)
    return 100 * float(chosen_by(score, places)[good].sum()) / places if good.any() else float("nan")


def top_64_in_top_twentieth(score: Ranks, truth: Ranks) -> float:
    """How many (0 to 64) of the 64 of highest score are among the top 5 % by truth; both [N].

    Chance finds 3.2. NaN where 64 or fewer have a score, and where the truth's top 5 % is empty because of
    ties.
    """
    if len(score) <= PICKS:
        return float("nan")
    good = best(truth, one_in=20)
    return float(chosen_by(score, PICKS)[good].sum()) if good.any() else float("nan")
