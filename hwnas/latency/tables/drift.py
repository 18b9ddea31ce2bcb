"""What the sentinels tell: whether clock or host changed between two measurements."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import median

from hwnas.latency.tables.entry import Entry

DRIFT = 0.01
CONTRADICTION = 0.02


def check_sentinels(times: Mapping[str, float]) -> None:
    """Refuse sentinel times that are not finite positive numbers (ValueError)."""
    for name, time in times.items():
        if not (math.isfinite(time) and time > 0):
            raise ValueError(f"sentinels[{name!r}] is {time}; it must be a finite positive number")


def reference(measured: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Median of each sentinel over several groups, in microseconds.

    Raises:
        ValueError: the sentinels are not the same models in all groups.
    """
    for times in measured:
        _ratios(times, measured[0])
    return {name: round(median(times[name] for times in measured), 3) for name in measured[0]}


def contradictory(own: Mapping[str, float], reference: Mapping[str, float]) -> bool:
    """Whether the sentinels moved by different amounts (over 2 % apart): others' load, not the clock."""
    ratios = _ratios(own, reference)
    return max(ratios) / min(ratios) - 1 > CONTRADICTION


def to_reference(
    entries: Sequence[Entry], own: Mapping[str, float], reference: Mapping[str, float]
) -> list[Entry]:
    """Entries on the scale of other sentinels.

    Unchanged where the sentinels' ratio (geometric mean) is within 1 %; multiplied by it and flagged
    ``rescaled`` where it is not; but where the sentinels contradict each other no ratio is right, and
    the entries are only flagged ``drifted``.

    Raises:
        ValueError: the sentinels are not the same models.
    """
    ratio = to_scale(own, reference)
    if ratio is None:
        return [entry if entry.failed else _flagged(entry, "drifted") for entry in entries]
    return list(entries) if ratio == 1 else [entry.rescaled(ratio) for entry in entries]


def to_scale(own: Mapping[str, float], reference: Mapping[str, float]) -> float | None:
    """What times measured beside sentinels `own` are multiplied by to be on the scale of `reference`.

    1 where the sentinels' ratio (geometric mean) is within 1 %; None where they contradict each other.

    Raises:
        ValueError: the sentinels are not the same models.
    """
    ratios = _ratios(own, reference)
    if contradictory(own, reference):
        return None
    ratio = math.exp(sum(map(math.log, ratios)) / len(ratios))
    return 1.0 if abs(ratio - 1) <= DRIFT else ratio


def _ratios(own: Mapping[str, float], reference: Mapping[str, float]) -> list[float]:
    if own.keys() != reference.keys() or not own:
        raise ValueError(f"the sentinels differ: {sorted(own)}, not {sorted(reference)}")
    return [reference[name] / own[name] for name in reference]


def _flagged(entry: Entry, flag: str) -> Entry:
    return replace(entry, flags=tuple(sorted({*entry.flags, flag})))
