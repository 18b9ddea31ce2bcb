"""Sums of ranks over several proxies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hwnas.proxies.ranks.ranking import Array, Scores, columns_of, fractional_ranks


def rank_sum(scores: Scores, proxies: Sequence[str], *, logarithmic: bool = True) -> Array:
    """The sum over proxies of log(rank / n), or of rank / n: (n,), higher is better.

    The sum of logarithms punishes a network that is bad by any one measure (Lee and Ham 2024, AZ-NAS, eq.
    10), the plain sum does not. Ranks are those within the n networks given: the result changes with them.
    See `ReferencePopulation` for one that does not.

    Raises:
        ValueError: no proxies, one that is missing from the scores, or scores of different lengths.
    """
    if not proxies:
        raise ValueError("proxies: empty; name the proxies to join")
    ranks = np.array([fractional_ranks(column) for column in columns_of(scores, proxies).values()])
    return np.asarray((np.log(ranks) if logarithmic else ranks).sum(axis=0))
