"""The table of counted operators: read with distrust, a formula fitted for each class."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hwnas.csv_rows import csv_records
from hwnas.latency.instructions.operators import TERMS, Operation
from hwnas.latency.instructions.rows import ROWS, Row

Floats = NDArray[np.float64]

OPERATORS, OTHERS, LOOPS = "ops.csv", "ops_other.csv", "ops_loops.csv"
_LARGEST = 1 << 22
_LARGEST_COUNT = 1 << 53
_SIZES = ("h", "cin", "cout", "stride", "hout")


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
        return float(np.dot(self.coefficients, operation.quantities))


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
        """Read the counts in `ops.csv`, `ops_other.csv` and `ops_loops.csv` and fit.

        Raises:
            FileNotFoundError: a file is missing.
            ValueError: a file is no plain one, too large or not such a table; a count is not a positive whole
                number; an operator stands there twice; a class has too few. The message names file, row and
                field.
        """
        counted: dict[str, list[tuple[Operation, int]]] = {}
        for name in (OPERATORS, OTHERS, LOOPS):
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
    terms = np.array([operation.quantities for operation, _ in rows])
    scale = np.abs(terms).max(axis=0)
    solution = nnls(terms / scale / counts[:, None], np.ones(len(rows)))[0] / scale
    errors = np.abs(terms @ solution / counts - 1)
    return Formula(tuple(solution.tolist()), len(rows), float(errors.max()), float(errors.mean()))


def _read(path: Path) -> list[tuple[Operation, int]]:
    """The operators of a file with their instructions."""
    found = []
    seen: set[tuple[str, ...]] = set()
    for number, row in enumerate(csv_records(path, _LARGEST), start=1):
        where = f"{path}: row {number}"
        units = "macs" if "macs" in row else "units"
        values = {
            name: _count(row.get(name), f"{where}: field {name!r}") for name in (*_SIZES, units, "insn")
        }
        kind = row.get("kind", "")
        if kind not in ROWS:
            raise ValueError(f"{where}: field 'kind': {kind[:40]!r} is none of {', '.join(ROWS)}")
        identity = (kind, *(str(row[name]) for name in _SIZES))
        if identity in seen:
            raise ValueError(f"{where}: {' '.join(identity)} occurs twice")
        seen.add(identity)
        sizes = Row(*(values[name] for name in (*_SIZES, units)))
        found.append((ROWS[kind](sizes), values["insn"]))
    return found


def _count(text: str | None, where: str) -> int:
    if text is None or not text.isascii() or not text.isdigit() or not 0 < int(text[:20]) < _LARGEST_COUNT:
        raise ValueError(f"{where}: {str(text)[:40]!r} is not a positive whole number")
    return int(text)
