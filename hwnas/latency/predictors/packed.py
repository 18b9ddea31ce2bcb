"""Lists of layers or blocks, packed as numbers of four bytes each (`layer_ids`, `block_ids`), counted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def distinct(packed: Sequence[bytes]) -> NDArray[np.int64]:
    """The numbers that stand in any of the lists, ascending."""
    return np.flatnonzero(np.bincount(_numbers(packed)))


def counts(packed: Sequence[bytes], counted: NDArray[np.int64]) -> NDArray[np.int64]:
    """How often each number stands in each list: `[lists, counted]`; numbers not in `counted` are left out.

    Args:
        packed: the lists.
        counted: different numbers, none negative.
    """
    numbers = _numbers(packed)
    rows = np.repeat(np.arange(len(packed)), [len(part) // 4 for part in packed])
    column_of = np.full(max(numbers.max(initial=0), counted.max(initial=0)) + 1, -1)
    column_of[counted] = np.arange(len(counted))
    columns = column_of[numbers]
    is_counted = columns >= 0
    cells = rows[is_counted] * len(counted) + columns[is_counted]
    return np.bincount(cells, minlength=len(packed) * len(counted)).reshape(len(packed), len(counted))


def _numbers(packed: Sequence[bytes]) -> NDArray[np.int32]:
    return np.frombuffer(b"".join(packed), dtype="<i4")
