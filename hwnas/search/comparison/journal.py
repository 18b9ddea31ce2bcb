"""Simulated searches that were done before: a comparison that was stopped goes on where it was."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hwnas.json_lines import JsonLines
from hwnas.objectives import Objective
from hwnas.search.comparison.contestants import Contestant
from hwnas.search.comparison.recorded import SECONDS, RecordedSpace
from hwnas.search.comparison.simulate import Search
from hwnas.search.fidelity import split


class SearchJournal:
    """Searches of any comparisons in one file, by what decides them and by seed.

    Without a path it keeps them in memory only. Files of two machines are merged by joining them. It knows
    nothing of the code: remove the file when a strategy has changed.

    Raises:
        ValueError: the file is damaged.
    """

    def __init__(self, path: Path | None) -> None:
        self._file = JsonLines(path) if path else None
        self._known: dict[tuple[str, int], Search] = {}
        for number, line in enumerate(self._file.read() if self._file else (), start=1):
            try:
                for seed, fields in line["searches"].items():
                    self._known[line["key"], int(seed)] = _search(fields)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise ValueError(f"{path}: line {number} is no searches of a comparison: {error}") from None

    def find(self, key: str, seed: int) -> Search | None:
        """The search of a key and a seed; None where it was not done yet."""
        return self._known.get((key, seed))

    def of(self, key: str, seeds: Sequence[int]) -> list[Search]:
        """The searches of all these seeds; raises KeyError where one was not done yet."""
        return [self._known[key, seed] for seed in seeds]

    def add(self, key: str, label: str, searches: Mapping[int, Search]) -> None:
        """Keep searches by seed; on the disk, if any, when this returns. Readers get the label."""
        if self._file:
            plain = {str(seed): _plain(one) for seed, one in searches.items()}
            self._file.append({"key": key, "label": label, "searches": plain})
        self._known.update({(key, seed): one for seed, one in searches.items()})


def key_of(
    recorded: RecordedSpace, objective: Objective, contestant: Contestant, queries: int, budget_s: float
) -> str:
    """Hexadecimal digits of all that decides a search but the seed, the recorded values that it sees too."""
    bounds = {one.metric: one.bound for one in objective.constraints}
    parts = [name for name in recorded.metrics if split(name)[0] == objective.maximize]
    seen = sorted({*parts, *bounds, *contestant.proxies, SECONDS} & set(recorded.metrics))
    values = {name: hashlib.blake2b(recorded.metrics[name].values.tobytes()).hexdigest() for name in seen}
    settings = sorted((name, repr(value)) for name, value in contestant.settings.items())
    task = [str(recorded.space), objective.maximize, bounds, queries, budget_s, values]
    return hashlib.blake2b(
        json.dumps([task, contestant.label, settings], sort_keys=True).encode(), digest_size=16
    ).hexdigest()


def _plain(search: Search) -> dict[str, Any]:
    """The best as the steps in which it rises; seconds as far as they go."""
    known = np.where(np.isnan(search.best), -math.inf, search.best)
    rises = np.flatnonzero(known > np.append(-math.inf, known[:-1])).tolist()
    seconds = search.seconds[~np.isnan(search.seconds)].tolist()
    return vars(search) | {
        "best": [[at, float(search.best[at])] for at in rises],
        "seconds": seconds,
        "queries": len(search.best),
    }


def _search(fields: Mapping[str, Any]) -> Search:
    others = {name: value for name, value in fields.items() if name != "queries"}
    best, seconds = np.full((2, fields["queries"]), math.nan)
    for at, value in fields["best"]:
        best[at:] = value
    seconds[: len(fields["seconds"])] = fields["seconds"]
    answer = fields["answer"]
    return Search(**{**others, "best": best, "seconds": seconds, "answer": answer and tuple(answer)})
