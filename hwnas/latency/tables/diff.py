"""What two latency tables have in common, and what differs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwnas.latency.tables.table import LatencyTable

CLOSE = 0.01


@dataclass(frozen=True)
class Ratios:
    """10th percentiles of the second table divided by those of the first, over the common entries.

    Attributes:
        n: common entries that both measured.
        median: of the ratios.
        p10: of the ratios.
        p90: of the ratios.
        within_1: share of ratios within 1 % of 1.
    """

    n: int
    median: float
    p10: float
    p90: float
    within_1: float


@dataclass(frozen=True)
class TableDiff:
    """Two tables compared.

    Attributes:
        identity: fields of device, runtime and protocol that differ, as ``part.field: first, not second``;
            where there are any, the ratios compare devices and say nothing of how well either was measured.
        same: whether the contents are equal.
        common: keys in both tables.
        first_only: keys only in the first.
        second_only: keys only in the second.
        ratios: None where no entry was measured by both.
        sentinels: second / first by name, of the sentinels that both have.
    """

    identity: tuple[str, ...]
    same: bool
    common: int
    first_only: int
    second_only: int
    ratios: Ratios | None
    sentinels: dict[str, float]


def diff(first: LatencyTable, second: LatencyTable) -> TableDiff:
    """Compare two tables, of one device or of two."""
    common = [key for key in first.entries if key in second]
    measured = [key for key in common if not first[key].failed and not second[key].failed]
    ours, theirs = first.meta.sentinels, second.meta.sentinels
    return TableDiff(
        identity=tuple(first.meta.identity.differences(second.meta.identity)),
        same=first.table_id == second.table_id,
        common=len(common),
        first_only=len(first) - len(common),
        second_only=len(second) - len(common),
        ratios=_ratios(np.array([second[key].p10_us / first[key].p10_us for key in measured])),
        sentinels={name: round(theirs[name] / ours[name], 4) for name in ours if name in theirs},
    )


def _ratios(ratios: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Ratios | None:
    if not len(ratios):
        return None
    low, middle, high = (float(value) for value in np.percentile(ratios, [10, 50, 90]))
    return Ratios(len(ratios), middle, low, high, float(np.mean(np.abs(ratios - 1) <= CLOSE)))
