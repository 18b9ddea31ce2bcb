"""What a search by pruning records: plain data, as JSON in its folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hwnas.differentiable.record_file import read_record, write_record

PRUNING = "pruning.json"


@dataclass(frozen=True)
class Round:
    """A supernetwork after a round of pruning.

    Attributes:
        number: from 1; 0 is what the search began with.
        remaining: by group the choices that are left, in order.
        values: of the supernetwork by each proxy, the mean over initialisations; None where one of them is
            undefined or infinite.
        seconds: wall time.
    """

    number: int
    remaining: Mapping[str, tuple[int, ...]]
    values: Mapping[str, float | None]
    seconds: float


@dataclass(frozen=True)
class PruningRecord:
    """A search, finished or not.

    Attributes:
        space: text of the space, as `hwnas.spaces.space` reads it.
        scored: text of the space whose networks were scored: the same one, or its small twin.
        settings: everything that decides the search, as plain data.
        groups: labels of the choices of each group.
        rounds: in order, with what the search began with before them.
        architecture: text of the answer; empty as long as the search has not ended.
    """

    space: str
    scored: str
    settings: Mapping[str, Any]
    groups: Mapping[str, tuple[str, ...]]
    rounds: tuple[Round, ...]
    architecture: str

    def save(self, folder: Path) -> None:
        """Write `pruning.json` into a folder, whole or not at all."""
        write_record(folder / PRUNING, asdict(self))


def removed(before: Round, after: Round) -> dict[str, tuple[int, ...]]:
    """By group the choices that went between two rounds; groups that lost none are left out."""
    gone = {
        group: tuple([choice for choice in choices if choice not in after.remaining[group]])
        for group, choices in before.remaining.items()
    }
    return {group: choices for group, choices in gone.items() if choices}


def load_pruning(folder: Path | str) -> PruningRecord:
    """The record in a folder.

    Raises:
        ValueError: there is none, or it is damaged; names the file.
    """
    return read_record(Path(folder) / PRUNING, "search by pruning", _record)


def _record(content: dict[str, Any]) -> PruningRecord:
    groups = {group: tuple(labels) for group, labels in content.pop("groups").items()}
    rounds = tuple(_round(one, groups) for one in content.pop("rounds"))
    return PruningRecord(**content, groups=groups, rounds=rounds)


def _round(content: Mapping[str, Any], groups: Mapping[str, tuple[str, ...]]) -> Round:
    remaining = {group: tuple(choices) for group, choices in content["remaining"].items()}
    found = Round(**{**content, "remaining": remaining})
    known = {group: set(range(len(labels))) for group, labels in groups.items()}
    if remaining.keys() != known.keys() or not all(known[group] >= set(remaining[group]) for group in known):
        raise ValueError(f"round {found.number} does not fit the groups")
    return found
