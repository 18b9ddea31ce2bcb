"""Ranks of scores, undefined ones last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from hwnas.proxies.registry import get

Scores = Mapping[str, npt.ArrayLike]
Array = npt.NDArray[np.float64]


def oriented(scores: npt.ArrayLike, *, higher_is_better: bool = True) -> Array:
    """The scores (n,) turned so that higher is better; -inf for NaN, which ranks last.

    Raises:
        ValueError: when they are no list of numbers.
    """
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != 1 or not len(values):
        raise ValueError(f"scores: the shape is {values.shape}; pass one number for each network, (n,)")
    turned = values if higher_is_better else -values
    return np.where(np.isnan(turned), -np.inf, turned)


def fractional_ranks(scores: npt.ArrayLike, *, higher_is_better: bool = True) -> Array:
    """The ranks (n,) of scores (n,) as fractions: 1 for the best of n, 1/n for the worst; ties share a mean.

    NaN ranks last.

    Raises:
        ValueError: when they are no list of numbers.
    """
    values = oriented(scores, higher_is_better=higher_is_better)
    return np.asarray(rankdata(values), dtype=np.float64) / len(values)


def columns_of(scores: Scores, names: Sequence[str]) -> dict[str, Array]:
    """The scores of the proxies `names`, oriented by the proxies' own directions.

    Raises:
        ValueError: a proxy is missing from the scores, or two have not the same length.
    """
    missing = [name for name in names if name not in scores]
    if missing:
        raise ValueError(f"scores: {', '.join(missing)} missing; found {', '.join(scores) or 'none'}")
    columns = {name: oriented(scores[name], higher_is_better=get(name).higher_is_better) for name in names}
    if len({len(column) for column in columns.values()}) > 1:
        raise ValueError("scores: the proxies have not the same number of networks")
    return columns
