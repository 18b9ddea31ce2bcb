"""Exports of NAS-Bench-101 as JSON: a list of cells with their numbers, or an object of them by hash.

A cell has its matrix in `module_adjacency`, `matrix` or `adjacency` and its operations in
`module_operations`, `ops` or `operations`; every other number in it, or mean of a list of numbers, is a
metric.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from hwnas.oracles.numbers import gathered, number
from hwnas.oracles.table import MetricTable
from hwnas.spaces.nasbench101_text import format_cell, parse_cell

MAX_BYTES = 2 * 1024**3
MATRIX = ("module_adjacency", "matrix", "adjacency")
OPERATIONS = ("module_operations", "ops", "operations")


def read_nasbench101_json(path: Path | str) -> MetricTable:
    """The cells as the space `nasbench101` writes them, with the numbers as the file has them.

    Raises:
        ValueError: the file is no such export; the message names the entry.
    """
    path = Path(path)
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"{path}: {path.stat().st_size} bytes are more than an export's {MAX_BYTES}")
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: not JSON in UTF-8: {error}") from None
    if not isinstance(data, (list, dict)):
        raise ValueError(f"{path}: a list of cells was expected, or an object of cells by hash")
    entries = enumerate(data, start=1) if isinstance(data, list) else data.items()
    return gathered((_row(entry, f"{path}: entry {key}") for key, entry in entries), str(path))


def _row(entry: Any, where: str) -> tuple[str, dict[str, float]]:
    if not isinstance(entry, dict):
        raise ValueError(f"{where} is no cell with its numbers")
    matrix = next((entry[name] for name in MATRIX if name in entry), None)
    operations = next((entry[name] for name in OPERATIONS if name in entry), None)
    try:
        cell = format_cell(parse_cell(json.dumps({"matrix": matrix, "ops": operations})))
        return cell, dict(_metrics(entry))
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def _metrics(entry: dict[str, Any]) -> Iterator[tuple[str, float]]:
    for name, value in entry.items():
        if name in (*MATRIX, *OPERATIONS):
            continue
        values = value if isinstance(value, list) else [value]
        if values and all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in values):
            yield name, float(np.mean([number(one) for one in values]))
