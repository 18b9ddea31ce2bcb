"""The files of NAS-Bench-101 (Ying et al., ICML 2019): `nasbench_only108.tfrecord`, `nasbench_full.tfrecord`.

A record is JSON `[module hash, epochs, adjacency, operations, metrics]` for one run of one cell: the matrix
row by row as digits, the operations separated by commas, and a `ModelMetrics` in base64.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterator
from pathlib import Path

from hwnas.oracles.model_metrics import FIELDS, Run, parse_run
from hwnas.oracles.numbers import gathered
from hwnas.oracles.table import MetricTable
from hwnas.oracles.tfrecord import read_records
from hwnas.spaces.nasbench101_text import format_cell, parse_cell


def read_nasbench101(path: Path | str, *, epochs: int = 108) -> MetricTable:
    """The cells as the space `nasbench101` writes them, with means over their runs.

    Columns: `train_accuracy`, `validation_accuracy`, `test_accuracy` (fractions, at the end of training),
    `training_time_s`, `params`.

    Args:
        path: the file; its 423,624 cells take some minutes.
        epochs: the training budget, 108; also 4, 12 or 36 in the full file.

    Raises:
        ValueError: the file is no TFRecord file, damaged, or has no runs of so many epochs.
    """
    path = Path(path)
    runs: dict[str, list[Run]] = {}
    budgets: set[int] = set()
    cells: dict[str, str] = {}
    for record, data in enumerate(read_records(path), start=1):
        try:
            key, budget, cell, run = _parsed(data, epochs, cells)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{path}: record {record}: {error}") from None
        budgets.add(budget)
        if run is not None:
            cells[key] = cell
            runs.setdefault(cell, []).append(run)
    if not runs:
        known = ", ".join(map(str, sorted(budgets))) or "none at all"
        raise ValueError(f"{path} has no runs of {epochs} epochs; it has {known}")
    return gathered(_means(runs), str(path))


def _parsed(data: bytes, epochs: int, cells: dict[str, str]) -> tuple[str, int, str, Run | None]:
    """Hash, epochs, cell and run of a record; no cell and run where it has other epochs."""
    fields = json.loads(data)
    if not (isinstance(fields, list) and list(map(type, fields)) == [str, int, str, str, str]):
        raise ValueError("it is not [hash, epochs, adjacency, operations, metrics]")
    key, budget, digits, operations, metrics = fields
    if budget != epochs:
        return key, budget, "", None
    cell = cells.get(key) or cell_text(digits, operations.split(","))
    return key, budget, cell, parse_run(base64.b64decode(metrics, validate=False))


def cell_text(digits: str, operations: list[str]) -> str:
    """A cell as the space `nasbench101` writes it; raises ValueError where it is none."""
    size = math.isqrt(len(digits))
    if size * size != len(digits) or set(digits) - {"0", "1"}:
        raise ValueError(f"{digits[:60]!r} is no square matrix of 0 and 1")
    matrix = [[int(digit) for digit in digits[row : row + size]] for row in range(0, size * size, size)]
    return format_cell(parse_cell(json.dumps({"matrix": matrix, "ops": operations})))


def _means(runs: dict[str, list[Run]]) -> Iterator[tuple[str, dict[str, float]]]:
    for cell, repeats in runs.items():
        metrics = {
            name.replace("training_time", "training_time_s"): math.fsum(getattr(run, name) for run in repeats)
            / len(repeats)
            for name in FIELDS
        }
        yield cell, {**metrics, "params": float(repeats[0].params)}
