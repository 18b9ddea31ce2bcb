"""The answer of a selection: all spaces in their order, and how sure that is; as CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwnas.files import write_whole
from hwnas.objectives import Constraint
from hwnas.tinynas.statistics import SpaceStatistics

SURE = 0.95
_COLUMNS = (
    "rank",
    "name",
    "space",
    "drawn",
    "satisfying",
    "feasible_fraction",
    "is_flagged",
    "score",
    "mean_macs",
    "p80_macs",
    "tightest",
    "probability_first",
)


@dataclass(frozen=True, eq=False)
class Selection:
    """Search spaces in the order of how much their satisfying networks compute.

    Attributes:
        ranked: all spaces, the best first; those below `min_feasible` after the others.
        constraints: the limits by name, bounds in the metrics' units (bytes, ms).
        units: of the limited metrics.
        runtime: of the SRAM and the flash; None where neither is limited.
        criterion: what the score is.
        min_feasible: fraction of a space that must satisfy the limits for it not to be flagged.
        confidence: with which the first was to be told from the others; None where that was not asked.
        seed: of everything random.
    """

    ranked: tuple[SpaceStatistics, ...]
    constraints: tuple[Constraint, ...]
    units: Mapping[str, str]
    runtime: str | None
    criterion: str
    min_feasible: float
    confidence: float | None
    seed: int

    @property
    def best(self) -> SpaceStatistics:
        """The first."""
        return self.ranked[0]

    @property
    def drawn(self) -> int:
        """Networks that were drawn from all spaces together."""
        return sum(one.drawn for one in self.ranked)

    @property
    def candidates(self) -> tuple[SpaceStatistics, ...]:
        """The fewest spaces among which the truly first is with a probability of `SURE`, likely ones first.

        More than one means that these cannot be told apart with as many networks as were drawn, none that
        too few networks satisfy the limits to say anything.
        """
        found: list[SpaceStatistics] = []
        probability = 0.0
        for one in sorted(self.ranked, key=lambda one: -(one.probability_first or 0)):
            if probability >= (self.confidence or SURE) or not one.probability_first:
                break
            found.append(one)
            probability += one.probability_first
        return tuple(found)

    def content(self) -> dict[str, Any]:
        """Everything but the networks' own numbers, for JSON; 1 MAC is 2 FLOPs."""
        return {
            "best": str(self.best.space),
            "candidates": [one.name for one in self.candidates],
            "limits": {one.metric: one.bound for one in self.constraints},
            "units": dict(self.units),
            "runtime": self.runtime,
            "criterion": self.criterion,
            "min_feasible": self.min_feasible,
            "confidence": self.confidence,
            "seed": self.seed,
            "spaces": [
                {
                    **_row(rank, one),
                    "mean_flops": _doubled(one.mean_macs),
                    "p80_flops": _doubled(one.p80_macs),
                    "excluded": one.excluded,
                }
                for rank, one in enumerate(self.ranked, start=1)
            ],
        }

    def to_json(self, path: Path | str) -> None:
        """Write `content`, at once or not at all; numbers that are not known are null.

        Raises:
            OSError: the file cannot be written.
        """
        write_whole(Path(path), json.dumps(self.content(), indent=2, allow_nan=False) + "\n")

    def to_csv(self, path: Path | str) -> None:
        """Write a row for each space, at once or not at all; `excluded_...` are fractions of the drawn.

        Raises:
            OSError: the file cannot be written.
        """
        text = io.StringIO()
        names = [one.metric for one in self.constraints]
        writer = csv.writer(text)
        writer.writerow([*_COLUMNS, *(f"excluded_{name}" for name in names)])
        for rank, one in enumerate(self.ranked, start=1):
            writer.writerow([*_row(rank, one).values(), *(one.excluded[name] for name in names)])
        write_whole(Path(path), text.getvalue())


def _row(rank: int, one: SpaceStatistics) -> dict[str, Any]:
    values = (
        rank,
        one.name,
        str(one.space),
        one.drawn,
        one.satisfying,
        one.feasible,
        one.is_flagged,
        _known(one.score),
        _known(one.mean_macs),
        _known(one.p80_macs),
        one.tightest,
        one.probability_first,
    )
    return dict(zip(_COLUMNS, values, strict=True))


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _doubled(value: float) -> float | None:
    return 2 * value if math.isfinite(value) else None
