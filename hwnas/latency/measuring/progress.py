"""How far a measurement is, told to a callback."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Progress:
    """How far a measurement is: models done, all models, and a line about the present step."""

    done: int
    total: int
    message: str


ProgressCallback: TypeAlias = Callable[[Progress], None]


class Reporter:
    """Hands lines to a progress callback with the present counts."""

    def __init__(self, progress: ProgressCallback | None, total: int) -> None:
        self.done = 0
        self._total = total
        self._progress = progress

    def __call__(self, message: str) -> None:
        """Tell one line."""
        if self._progress:
            self._progress(Progress(self.done, self._total, message))
