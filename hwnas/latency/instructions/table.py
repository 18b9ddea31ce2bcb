"""The table of counted operators: read with distrust, a formula fitted for each class."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hwnas.files import read_file
from hwnas.latency.instructions.operators import TERMS, Operation

Floats = NDArray[np.float64]

OPERATORS, OTHERS = "ops.csv", "ops_other.csv"
_LARGEST = 1 << 22
_LARGEST_COUNT = 1 << 53
_COLUMNS = ("kind", "h", "cin", "cout", "stride", "hout")


@dataclass(frozen=True)
class Formula:
    """Instructions of a class of operators: Σ coefficient · term.

    Attributes:
        coefficients: instructions per unit of each of the class's terms.
        operators: number of counted operators it was fitted on.
        largest_error: largest |fitted / counted - 1| among them.
        mean_error: mean |fitted / counted - 1|.
    """

    coefficients: tuple[float, ...]
    operators: int
    largest_error: float
    mean_error: float

    def instructions(self, operation: Operation) -> float:
        """Instructions of one operator of the class."""
        return float(np.dot(self.coefficients, operation.quantities()))


@dataclass(frozen=True)
class InstructionTable:
    """A formula for each class of operators.

    >>> InstructionTable.load("latency_tables/cortex-m7-cmsisnn").formulas["conv1"]     # doctest: +SKIP
    """

    formulas: Mapping[str, Formula]

    def instructions(self, operations: Iterable[Operation]) -> float:
        """Instructions of several operators together."""
        return sum(self.formulas[operation.kind].instructions(operation) for operation in operations)

    @classmethod
    def load(cls, folder: str | Path) -> InstructionTable:
        """Read the counts in `ops.csv` and `ops_other.csv` and fit.

        Raises:
            FileNotFoundError: a file is missing.
            ValueError: a file is no plain one, too large or not such a table; a count is not a positive whole
                number; an operator stands there twice; a class has too few. The message names file, row and
                field.
        """
        counted: dict[str, list[tuple[Operation, int]]] = {}
        for name in (OPERATORS, OTHERS):
            for operation, count in _read(Path(folder) / name):
                counted.setdefault(operation.kind, []).append((operation, count))
        for kind, terms in TERMS.items():
            found = len(counted.get(kind, ()))
            if found < len(terms):
                raise ValueError(
                    f"{folder}: {found} operators of class {kind}; its formula needs at least {len(terms)}"
                )
        return cls({kind: _fit(rows) for kind, rows in counted.items()})


def _fit(rows: list[tuple[Operation, int]]) -> Formula:
    """The coefficients of at least 0 that minimise Σ (fitted / counted - 1)².

    Without negative ones no network, however small, is said to take no time.
    """
    from scipy.optimize import nnls

    counts = np.array([count for _, count in rows], dtype=np.float64)
    terms = np.array([operation.quantities() for operation, _ in rows])
    scale = np.abs(terms).max(axis=0)
    solution = nnls(terms / scale / counts[:, None], np.ones(len(rows)))[0] / scale
    errors = np.abs(terms @ solution / counts - 1)
    return Formula(tuple(solution.tolist()), len(rows), float(errors.max()), float(errors.mean()))


def _read(path: Path) -> list[tuple[Operation, int]]:
    """The operators of a file with their instructions."""
    try:
        rows = list(csv.DictReader(io.StringIO(read_file(path, _LARGEST).decode()), strict=True))
    except (csv.Error, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not CSV: {error}") from None
    found = []
    seen: set[tuple[str, ...]] = set()
    for number, row in enumerate(rows, start=1):
        where = f"{path}: row {number}"
        units = "macs" if "macs" in row else "units"
        values = {
            name: _count(row.get(name), f"{where}: field {name!r}") for name in (*_COLUMNS[1:], units, "insn")
        }
        kind = row.get("kind") or ""
        if kind not in _OPERATION:
            raise ValueError(f"{where}: field 'kind': {kind[:40]!r} is none of {', '.join(_OPERATION)}")
        identity = tuple(str(row[name]) for name in _COLUMNS)
        if identity in seen:
            raise ValueError(f"{where}: {' '.join(identity)} occurs twice")
        seen.add(identity)
        found.append((_OPERATION[kind]({**values, "units": values[units]}), values["insn"]))
    return found


def _count(text: str | None, where: str) -> int:
    if text is None or not text.isascii() or not text.isdigit() or not 0 < int(text[:20]) < _LARGEST_COUNT:
        raise ValueError(f"{where}: {str(text)[:40]!r} is not a positive whole number")
    return int(text)


def _dense(kind: str, kernel: int) -> Callable[[Mapping[str, int]], Operation]:
    def operation(r: Mapping[str, int]) -> Operation:
        pixels = r["hout"] ** 2
        return Operation(
            kind,
            macs=r["units"],
            outputs=pixels * r["cout"],
            pixels=pixels,
            columns=kernel**2 * r["cin"],
            window=(kernel, kernel),
        )

    return operation


def _map(kind: str, size: int = 1) -> Callable[[Mapping[str, int]], Operation]:
    """Operators whose `units` are output elements of a map of `cout` channels (`concat`: twice as many)."""

    def operation(r: Mapping[str, int]) -> Operation:
        channels = r["cout"] * (2 if kind == "concat" else 1)
        return Operation(kind, outputs=r["units"], pixels=r["units"] // channels, window=(size, size))

    return operation


def _pad(border: int) -> Callable[[Mapping[str, int]], Operation]:
    return lambda r: Operation("pad", outputs=r["units"], rows=r["h"] + 2 * border)


def _mean(r: Mapping[str, int]) -> Operation:
    return Operation("mean", inputs=r["h"] ** 2 * r["cin"], outputs=r["units"])


def _fully_connected(r: Mapping[str, int]) -> Operation:
    """From 4 · cin features; `units` are MACs."""
    return Operation("fully_connected", macs=r["units"], outputs=r["units"] // (4 * r["cin"]))


_OPERATION: dict[str, Callable[[Mapping[str, int]], Operation]] = {
    "conv1": _dense("conv1", 1),
    "conv3": _dense("conv", 3),
    "dw3": _dense("depthwise3", 3),
    "dw5": _dense("depthwise5", 5),
    "dw7": _dense("depthwise7", 7),
    "add": _map("add"),
    "fc": _fully_connected,
    "maxpool2": _map("max_pool", size=2),
    "avgpool3": _map("average_pool", size=3),
    "mean": _mean,
    "pad1": _pad(1),
    "pad2": _pad(2),
    "concat": _map("concat"),
}
