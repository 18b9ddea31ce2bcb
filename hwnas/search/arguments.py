"""What `run` is given, checked before anything is computed or written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hwnas.objectives import Constraint
from hwnas.search.fidelity import require_whole
from hwnas.spaces import SearchSpace
from hwnas.typed import is_number, is_whole

LONGEST_TRIAL = 30 * 24 * 3600
"""Seconds: no limit on a trial is longer."""
MOST_AHEAD = 1_000


def check_what(space: object, maximize: object, metrics: object, strategy_settings: object) -> None:
    """Refuse a space, a metric to maximise, metrics or settings that are none; the ValueError names them."""
    if not isinstance(space, SearchSpace):
        raise ValueError(
            f"space must be a SearchSpace, such as hwnas.spaces.space('nasbench201'), not {space!r}"
        )
    if not isinstance(maximize, str):
        raise ValueError(f"maximize must be the name of a metric, such as 'naswot', not {maximize!r}")
    require_whole(maximize)
    if not _is_by_name(metrics):
        raise ValueError(f"metrics must be a dict of metrics by name, not {metrics!r}")
    if not _is_by_name(strategy_settings):
        raise ValueError(f"strategy_settings must be a dict of values by name, not {strategy_settings!r}")


def _is_by_name(given: object) -> bool:
    return given is None or (isinstance(given, Mapping) and all(isinstance(name, str) for name in given))


def constraints_in(subject_to: object) -> list[str | Constraint]:
    """The constraints, of which a text is one; raises ValueError where they are none."""
    if isinstance(subject_to, str | Constraint):
        return [subject_to]
    given = list(subject_to) if isinstance(subject_to, Iterable) else [subject_to]
    constraints = [one for one in given if isinstance(one, str | Constraint)]
    if len(constraints) < len(given):
        raise ValueError(f"subject_to must be constraints, such as ['params <= 2e6'], not {subject_to!r}")
    return constraints


def check_numbers(
    *,
    budget: object,
    candidates: object,
    seed: object,
    ahead: Any,
    trial_seconds: Any,
    confidence: Any,
) -> None:
    """Refuse a number of `run` that is out of range, or none; the ValueError names it and its range."""
    if not _whole_from(1, budget):
        raise ValueError(f"budget must be at least 1 network, a whole number, not {budget!r}")
    if not _whole_from(1, candidates):
        raise ValueError(f"candidates must be at least 1, a whole number, not {candidates!r}")
    if not _whole_from(0, seed):
        raise ValueError(f"seed must be at least 0, a whole number, not {seed!r}")
    if not (_whole_from(1, ahead) and int(ahead) <= MOST_AHEAD):
        raise ValueError(f"ahead must be a whole number from 1 to {MOST_AHEAD:,}, not {ahead!r}")
    if trial_seconds is not None and not (is_number(trial_seconds) and 0 < trial_seconds <= LONGEST_TRIAL):
        raise ValueError(
            f"trial_seconds must be above 0 and at most {LONGEST_TRIAL:,}, a number, not {trial_seconds!r}"
        )
    if confidence is not None and not (is_number(confidence) and 0.5 <= confidence < 1):
        raise ValueError(f"confidence must be at least 0.5 and below 1, such as 0.9, not {confidence!r}")


def _whole_from(least: int, value: Any) -> bool:
    return is_whole(value) and value >= least
