"""Arguments of a selection, checked before anything is drawn; each message names the argument."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

from hwnas.tinynas.limit import Limit

MOST_SAMPLES = 64_000


def check_numbers(samples: Any, min_feasible: Any, confidence: Any, seed: Any) -> None:
    """Raise ValueError for a number of another type or out of range."""
    if not _is_whole(samples) or not 1 <= samples <= MOST_SAMPLES:
        raise ValueError(f"samples must be a whole number from 1 to {MOST_SAMPLES}, not {samples!r}")
    if not _is_real(min_feasible) or not 0 <= min_feasible <= 1:
        raise ValueError(f"min_feasible must be from 0 to 1, not {min_feasible!r}")
    if confidence is not None and not (_is_real(confidence) and 0 < confidence < 1):
        raise ValueError(f"confidence must be above 0 and below 1, not {confidence!r}")
    if not _is_whole(seed) or seed < 0:
        raise ValueError(f"seed must be a whole number of at least 0, not {seed!r}")


def check_limits(limits: object) -> None:
    """Raise ValueError for anything but a sequence of limits."""
    if isinstance(limits, str) or not isinstance(limits, Sequence):
        raise ValueError(f"limits must be a sequence of Limit(metric, bound), not {limits!r}")
    for one in limits:
        if not isinstance(one, Limit):
            raise ValueError(f"limits must hold Limit(metric, bound), not {one!r}")


def check_values(name: str, values: object, *, whole: bool) -> None:
    """Raise ValueError for anything but different numbers, at least one; whole ones where these are asked."""
    if isinstance(values, str) or not isinstance(values, Sequence):
        raise ValueError(f"{name} must be a sequence of numbers, not {values!r}")
    for one in values:
        if not (_is_whole(one) if whole else _is_real(one)):
            raise ValueError(f"{name} must hold {'whole ' if whole else ''}numbers, not {one!r}")
    if not values or len(set(values)) < len(values):
        raise ValueError(f"{name} must be different values, at least one, not {list(values)}")


def _is_whole(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _is_real(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)
