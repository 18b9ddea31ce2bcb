"""What a sweep has scored so far, one line for each class of isomorphic networks."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hwnas.json_lines import JsonLines
from hwnas.proxies.sweep.settings import SweepSettings
from hwnas.proxies.sweep.work import Score
from hwnas.proxies.untrained import COUNTED


class SweepJournal:
    """Scores by key, kept beside the table that they will become; in memory only without a path.

    Raises:
        ValueError: the file belongs to a sweep of other settings, or is damaged.
    """

    def __init__(self, settings: SweepSettings, path: Path | None) -> None:
        self.scores: dict[str, dict[str, Score]] = {}
        self._names = [name for name in settings.proxies if name not in COUNTED]
        self._file = JsonLines(path) if path else None
        if self._file:
            self._open(self._file, json.loads(json.dumps(asdict(settings))))

    def add(self, key: str, scores: Mapping[str, Score]) -> None:
        """Keep the scores of one key; with a file they are on the disk when this returns."""
        self.scores[key] = dict(scores)
        if self._file:
            plain = {name: [repr(s.value), s.reason, s.note] for name, s in scores.items()}
            self._file.append({"key": key, "scores": plain})

    def _open(self, file: JsonLines, settings: dict[str, Any]) -> None:
        lines = file.read()
        if not lines:
            file.append({"settings": settings})
            return
        stored = lines[0].get("settings")
        if stored != settings:
            known = stored if isinstance(stored, dict) else {}
            different = [name for name, value in settings.items() if known.get(name) != value]
            raise ValueError(
                f"{file.path} belongs to a sweep of another {', '.join(different)}; "
                "give the options of that sweep, choose another --out, or remove the file"
            )
        for number, line in enumerate(lines[1:], start=2):
            try:
                self.scores[str(line["key"])] = {name: _score(*line["scores"][name]) for name in self._names}
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise ValueError(f"{file.path}: line {number} is no scores of a sweep: {error}") from None


def _score(value: str, reason: str | None, note: str | None) -> Score:
    number = float(value)
    if math.isfinite(number) != (reason is None):
        raise ValueError(f"{value} with the reason {reason!r}")
    return Score(number, reason, note)
