"""Cells of NAS-Bench-101 as text: one line of our own, and the benchmark's matrix and operations as JSON.

The line has a part for each vertex after the input, joined by `+`: the operation, then `~` and the number
of each vertex that feeds it. The benchmark's example, its Inception-like cell, is
`conv1x1-bn-relu~0+conv3x3-bn-relu~0+conv3x3-bn-relu~0+conv3x3-bn-relu~3+maxpool3x3~0+output~1~2~4~5`.
"""

from __future__ import annotations

import json
from typing import Any

from hwnas.spaces.nasbench101_cell import MAX_VERTICES, OPERATIONS, Cell

OUTPUT = "output"


def format_cell(cell: Cell) -> str:
    """The line of a cell."""
    names = (*cell.operations, OUTPUT)
    parts = [[name, *map(str, sources)] for name, sources in zip(names, cell.sources[1:], strict=True)]
    return "+".join(map("~".join, parts))


def parse_cell(text: str) -> Cell:
    """Read a line, or JSON `{"matrix": [[0, 1, ...], ...], "ops": ["input", ..., "output"]}`.

    Raises:
        ValueError: the text is malformed; the message names the part.
    """
    return _parse_json(text) if text.lstrip().startswith("{") else _parse_line(text)


def _parse_line(text: str) -> Cell:
    parts = [part.split("~") for part in text.strip().split("+")]
    _check_operations([name for name, *_ in parts], text)
    sources = [_parse_sources(numbers, vertex, text) for vertex, (_, *numbers) in enumerate(parts, start=1)]
    return Cell(((), *sources), tuple(name for name, *_ in parts[:-1]))


def _parse_sources(numbers: list[str], vertex: int, text: str) -> tuple[int, ...]:
    allowed = {str(source): source for source in range(vertex)}
    for number in numbers:
        if number not in allowed:
            raise ValueError(
                f"~{number} at vertex {vertex} of {text!r}: ~0 to ~{vertex - 1} expected, each once"
            )
        del allowed[number]
    return tuple(sorted(map(int, numbers)))


def _check_operations(names: list[str], text: str) -> None:
    """Names of all vertices but the input."""
    if names[-1] != OUTPUT:
        raise ValueError(f"the last vertex of {text!r} must be {OUTPUT}, not {names[-1]!r}")
    if len(names) >= MAX_VERTICES:
        raise ValueError(
            f"{text!r} has {len(names) + 1} vertices with input and output, at most {MAX_VERTICES}"
        )
    for name in names[:-1]:
        if name not in OPERATIONS:
            raise ValueError(f"{name!r} in {text!r} is no operation; choose from {', '.join(OPERATIONS)}")


def _parse_json(text: str) -> Cell:
    try:
        spec: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{text!r} is no NAS-Bench-101 cell: {error}") from error
    matrix, names = spec.get("matrix"), spec.get("ops")
    if not _are_texts(names) or names[0] != "input":
        raise ValueError(f'"ops" of {text!r} must be a list of operations from "input" to "{OUTPUT}"')
    _check_operations(names[1:], text)
    if not _is_upper_triangular(matrix, len(names)):
        raise ValueError(
            f'"matrix" of {text!r} must be {len(names)} rows of as many 0 or 1, above the diagonal'
        )
    columns = zip(*matrix, strict=True)
    sources = [tuple(row for row, edge in enumerate(column) if edge) for column in columns]
    return Cell(tuple(sources), tuple(names[1:-1]))


def _are_texts(names: Any) -> bool:
    return isinstance(names, list) and len(names) > 1 and all(isinstance(name, str) for name in names)


def _is_upper_triangular(matrix: Any, size: int) -> bool:
    if not isinstance(matrix, list) or [type(row) for row in matrix] != [list] * size:
        return False
    return all(
        len(row) == size
        and all(edge in (0, 1) and (column > r or not edge) for column, edge in enumerate(row))
        for r, row in enumerate(matrix)
    )
