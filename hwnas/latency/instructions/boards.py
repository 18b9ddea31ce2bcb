"""Boards: how long an instruction of the table takes on each, from published latencies."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from pathlib import Path

from hwnas.files import read_file

BOARDS = "boards.csv"
COLUMNS = ("board", "core", "clock_mhz", "ns_per_instruction", "is_estimated", "source")
_LARGEST = 1 << 20


@dataclass(frozen=True)
class Board:
    """A board and its constant.

    Attributes:
        name: what it is called.
        core: its processor.
        clock_mhz: its clock where the source states it, else None.
        ns_per_instruction: nanoseconds of one counted instruction, which holds clock, wait states and caches.
        is_estimated: whether it is derived from other boards', this one having no published latencies.
        source: where the constant comes from.
    """

    name: str
    core: str
    clock_mhz: float | None
    ns_per_instruction: float
    is_estimated: bool
    source: str


def boards(folder: str | Path) -> dict[str, Board]:
    """The boards of an instruction table by name.

    Raises:
        FileNotFoundError: the table has none.
        ValueError: the file is no plain one or too large, or a row is not a board; the message names file,
            row and field.
    """
    path = Path(folder) / BOARDS
    try:
        rows = list(csv.reader(io.StringIO(read_file(path, _LARGEST).decode()), strict=True))
    except (csv.Error, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not CSV: {error}") from None
    if not rows or tuple(rows[0]) != COLUMNS:
        raise ValueError(f"{path}: the columns are {rows[:1]}; they must be {list(COLUMNS)}")
    found: dict[str, Board] = {}
    for number, row in enumerate(rows[1:], start=1):
        board = _board(row, f"{path}: row {number}")
        if board.name in found:
            raise ValueError(f"{path}: row {number}: board {board.name} occurs twice")
        found[board.name] = board
    return found


def known_board(name: str, folder: str | Path) -> Board:
    """A board of an instruction table by name.

    Raises:
        ValueError: it has none of that name; the message names those that it has.
    """
    known = boards(folder)
    if name not in known:
        raise ValueError(f"no board {name!r} in {Path(folder).name}; known: {', '.join(known)}")
    return known[name]


def _board(row: list[str], where: str) -> Board:
    if len(row) != len(COLUMNS):
        raise ValueError(f"{where}: {len(row)} fields; it must have {len(COLUMNS)}")
    name, core, clock, constant, estimated, source = row
    if not all(text and text.isprintable() and len(text) <= 1000 for text in (name, core, source)):
        raise ValueError(f"{where}: board, core and source must be printable texts")
    if estimated not in ("yes", "no"):
        raise ValueError(f"{where}: field 'is_estimated' is {estimated[:40]!r}; it must be yes or no")
    return Board(
        name,
        core,
        _positive(clock, f"{where}: field 'clock_mhz'") if clock else None,
        _positive(constant, f"{where}: field 'ns_per_instruction'"),
        estimated == "yes",
        source,
    )


def _positive(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{where}: {text[:40]!r} is not a number") from None
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"{where} is {value}; it must be a finite positive number")
    return value
