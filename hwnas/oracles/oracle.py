"""A recorded quantity as a metric: what a search asks, a table answers."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hwnas.objectives import MetricError
from hwnas.oracles.benchmark import format_of, read_benchmark
from hwnas.oracles.direction import higher_is_better as direction_of
from hwnas.oracles.direction import unit as unit_of
from hwnas.oracles.message import shortened
from hwnas.oracles.table import MetricTable
from hwnas.spaces import Architecture, SearchSpace


@dataclass(frozen=True)
class Results:
    """Where results are: what `read_benchmark` takes, and a fingerprint of what was there."""

    path: str
    dataset: str | None
    epochs: int | None
    fingerprint: str


@dataclass(frozen=True)
class OracleMetric:
    """One column of recorded results; made by `oracle`.

    It holds where the results are and not the results, so it is small and plain data: it can be sent to
    worker processes, each of which reads the results once, and be noted in the settings of a run.
    """

    name: str
    unit: str
    higher_is_better: bool
    column: str
    results: Results
    expensive: bool = False

    def load(self, space: SearchSpace) -> None:
        """Read the results, which the first look-up in a process does otherwise."""
        _rows(self.results, space)

    def __call__(self, architecture: Architecture) -> float:
        """The recorded value; raises MetricError where there is none for `architecture`."""
        row = _rows(self.results, architecture.space).get(_text(architecture))
        if row is None:
            raise MetricError(f"{self.name}: {self.results.path} has no architecture {architecture}")
        value = float(_table(self.results).column(self.column)[row])
        if math.isnan(value):
            raise MetricError(
                f"{self.name}: {self.results.path} has no {self.column} for architecture {architecture}"
            )
        return value


def oracle(
    path: Path | str,
    column: str,
    space: SearchSpace,
    *,
    name: str | None = None,
    higher_is_better: bool | None = None,
    dataset: str | None = None,
    epochs: int | None = None,
) -> OracleMetric:
    """The metric that looks architectures of `space` up in recorded results.

    Architectures are found by the text of the space; where the space has a canonical form of those that
    are the same network (NAS-Bench-101), by the text of that.

    Args:
        path: what `read_benchmark` reads.
        column: which of its columns.
        space: the space of its architectures.
        name: of the metric; that of the column where None. It also tells the unit: `latency_ms`.
        higher_is_better: the direction; by the name (`accuracy`, `latency_ms`) or the column's where None.
        dataset: as in `read_benchmark`.
        epochs: as in `read_benchmark`.

    Raises:
        FileNotFoundError: there is nothing at `path`.
        ValueError: as `read_benchmark`; there is no such column, it has an infinite value, its name does not
            tell the direction, or a row is no architecture of the space or the same as another.
    """
    format_of(Path(path))
    place = Path(path).resolve()
    results = Results(str(place), dataset, epochs, _fingerprint(place))
    values = _table(results).column(column)
    _check_finite(values, f"{path}: column {shortened(column)}")
    name = name or column
    told = [higher_is_better, direction_of(name), direction_of(column)]
    direction = next((one for one in told if one is not None), None)
    if direction is None:
        raise ValueError(
            f"the name {name!r} does not tell whether more or less of it is better; latency_ms or "
            "accuracy, say, do"
        )
    _rows(results, space)
    return OracleMetric(name, unit_of(name, values), direction, column, results)


def _check_finite(values: NDArray[np.float64], where: str) -> None:
    """Raise ValueError naming the row of the first infinite value of a column [N]; NaN is an empty cell."""
    if (infinite := np.isinf(values)).any():
        row = int(infinite.argmax())
        raise ValueError(f"{where}: row {row + 1} is {values[row]:g}; it must be a finite number, or empty")


def _fingerprint(path: Path) -> str:
    """Of a file its content; of a folder the names and sizes of its files."""
    digest = hashlib.blake2b(digest_size=16)
    if path.is_dir():
        for one in sorted(path.iterdir()):
            digest.update(f"{one.name}:{one.stat().st_size}\n".encode())
        return digest.hexdigest()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


@lru_cache(maxsize=4)
def _table(results: Results) -> MetricTable:
    path = Path(results.path)
    if _fingerprint(path) != results.fingerprint:
        raise ValueError(f"{path} has changed since its metric was made; make the metric anew")
    return read_benchmark(path, dataset=results.dataset, epochs=results.epochs)


@lru_cache(maxsize=4)
def _rows(results: Results, space: SearchSpace) -> Mapping[str, int]:
    """Which row has the architecture of a text."""
    rows: dict[str, int] = {}
    for row, written in enumerate(_table(results).architectures):
        try:
            text = _text(space.parse(written))
        except ValueError as error:
            raise ValueError(
                f"{results.path}: row {row + 1} is no architecture of space {space}: {shortened(error, 400)}"
            ) from None
        if text in rows:
            raise ValueError(
                f"{results.path}: rows {rows[text] + 1} and {row + 1} are the same architecture, "
                f"{shortened(text)}"
            )
        rows[text] = row
    return rows


def _text(architecture: Architecture) -> str:
    canonical = getattr(architecture.space, "canonical", None)
    return str(architecture if canonical is None else canonical(architecture))
