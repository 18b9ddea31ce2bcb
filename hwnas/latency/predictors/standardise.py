"""Columns with mean 0 and standard deviation 1, those left out that say nothing new."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwnas.latency.predictors.arrays import Arrays

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Standardised:
    """Chosen columns, shifted and scaled.

    Attributes:
        columns: `[d]`, which of all columns.
        centre: `[d]`, what is subtracted.
        spread: `[d]`, what is divided by.
    """

    columns: NDArray[np.int64]
    centre: Floats
    spread: Floats

    def __call__(self, x: Floats) -> Floats:
        """`[n, all columns] -> [n, d]`."""
        return np.asarray((x[:, self.columns] - self.centre) / self.spread)

    @classmethod
    def of(cls, x: Floats, columns: NDArray[np.int64]) -> Standardised:
        """The scaling under which `columns` of `x` have mean 0 and standard deviation 1."""
        chosen = x[:, columns]
        return cls(columns, chosen.mean(axis=0), chosen.std(axis=0))

    @classmethod
    def from_arrays(cls, arrays: Arrays, all_columns: int) -> Standardised:
        """What `columns`, `centre` and `spread` of a file describe; raises ValueError naming the field."""
        columns = arrays.integers("columns", None, low=0, high=all_columns - 1)
        made = cls(columns, arrays.floats("centre", len(columns)), arrays.floats("spread", len(columns)))
        arrays.require(bool((made.spread > 0).all()), "spread", "positive")
        return made


def different_columns(x: Floats) -> NDArray[np.int64]:
    """Columns of `[n, d]` that vary, one of each set that are equal up to shift and scale."""
    spread = np.ptp(x, axis=0)
    varying = np.flatnonzero(spread > 1e-9 * np.abs(x).max(axis=0, initial=0))
    scaled = np.round((x[:, varying] - x[:, varying].min(axis=0)) / spread[varying], 9)
    _, first = np.unique(scaled, axis=1, return_index=True)
    return np.sort(varying[first]).astype(np.int64)
