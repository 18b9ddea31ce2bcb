"""The vote of several proxies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from hwnas.proxies.ranks.ranking import Array, Scores, columns_of

VOTERS = ("synflow", "jacob_cov", "snip")


def majority(scores: Scores, proxies: Sequence[str] = VOTERS) -> npt.NDArray[np.bool_]:
    """Whether most proxies place network i above network j: (n, n).

    A proxy to which the two are equal votes against both orders. The relation of pairs by which Abdelfattah
    et al. 2021 vote; it need not be transitive, and the share of pairs that it orders rightly (0.82 on
    NAS-Bench-201) is no correlation.

    Raises:
        ValueError: a proxy is missing from the scores, or scores of different lengths.
    """
    columns = list(columns_of(scores, proxies).values())
    votes = sum((column[:, None] > column[None, :]).astype(np.int64) for column in columns)
    return np.asarray(votes) * 2 > len(columns)


def copeland(scores: Scores, proxies: Sequence[str] = VOTERS) -> Array:
    """Copeland's ranking of the vote: pairs won minus pairs lost, (n,), higher is better.

    Raises:
        ValueError: as `majority`.
    """
    wins = majority(scores, proxies)
    return np.asarray(wins.sum(axis=1) - wins.sum(axis=0), dtype=np.float64)
