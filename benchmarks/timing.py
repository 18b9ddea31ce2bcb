"""Time two ways of doing one thing against each other: interleaved, medians, ratios."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of the table: what, the figure, the goal, and whether it was reached."""

    what: str
    figure: str
    goal: str
    reached: bool


def seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def interleaved(
    pairs: Sequence[tuple[Callable[[], object], Callable[[], object]]],
) -> tuple[float, float, float]:
    """Median seconds of the first and of the second ways, and the median ratio second/first."""
    times = [(seconds(ours), seconds(theirs)) for ours, theirs in pairs]
    return (
        statistics.median(a for a, _ in times),
        statistics.median(b for _, b in times),
        statistics.median(b / a for a, b in times),
    )
