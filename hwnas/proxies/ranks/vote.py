"""The vote of several proxies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from hwnas.proxies.ranks.ranking import Array, Scores, columns_of

VOTERS = ("synflow", "jacob_cov", "snip")


_ROWS_AT_ONCE = 256


def majority(scores: Scores, proxies: Sequence[str] = VOTERS) -> Iterator[npt.NDArray[np.bool_]]:
    """Whether most proxies place network i above network j: the rows (., n) of i = 0 .. n - 1, in blocks.

    A proxy to which the two are equal votes against both orders. The relation of pairs by which Abdelfattah
    et al. 2021 vote; it need not be transitive.

    Raises:
        ValueError: a proxy is missing from the scores, or scores of different lengths.
    """
    columns = list(columns_of(scores, proxies).values())
    for start in range(0, len(columns[0]), _ROWS_AT_ONCE):
        rows = [column[start : start + _ROWS_AT_ONCE, None] for column in columns]
        votes = np.stack([one > column for one, column in zip(rows, columns, strict=True)]).sum(axis=0)
        yield votes * 2 > len(columns)


def copeland(scores: Scores, proxies: Sequence[str] = VOTERS) -> Array:
    """Copeland's ranking of the vote: pairs won minus pairs lost, (n,), higher is better.

    Raises:
        ValueError: as `majority`.
    """
    won: list[Array] = []
    lost: Array | float = 0.0
    for wins in majority(scores, proxies):
        won.append(wins.sum(axis=1, dtype=np.float64))
        lost = lost + wins.sum(axis=0, dtype=np.float64)
    return np.asarray(np.concatenate(won) - lost)


def majority_pair_accuracy(scores: Scores, truth: npt.ArrayLike, proxies: Sequence[str] = VOTERS) -> float:
    """The share, 0 to 1, of the pairs of different truth that the majority orders rightly.

    The figure that Abdelfattah et al. 2021 give for the vote (0.82 on NAS-Bench-201); it is no correlation.
    NaN where all of the truth is equal.

    Raises:
        ValueError: as `majority`, or a truth of another length.
    """
    known = np.asarray(truth, dtype=np.float64)
    right = pairs = start = 0
    for wins in majority(scores, proxies):
        if wins.shape[1] != len(known):
            raise ValueError(f"truth: {len(known)} numbers for {wins.shape[1]} networks")
        better = known[start : start + len(wins), None] > known
        right += int((wins & better).sum())
        pairs += int(better.sum())
        start += len(wins)
    return right / pairs if pairs else float("nan")
