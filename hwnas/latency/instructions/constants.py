"""How long an instruction of a table takes on each board, from published latencies."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from hwnas.cost.boards import Board, boards
from hwnas.csv_rows import csv_rows

CONSTANTS = "constants.csv"
COLUMNS = ("board", "ns_per_instruction", "is_estimated", "source")
_LARGEST = 1 << 20


@dataclass(frozen=True)
class BoardConstant:
    """A board's constant in an instruction table.

    Attributes:
        table: name of the table.
        board: a board of `hwnas.cost.boards`.
        ns_per_instruction: nanoseconds of one counted instruction, which holds clock, wait states and caches.
        is_estimated: whether it is derived from other boards', this one having no published latencies.
        source: where the constant comes from.
    """

    table: str
    board: Board
    ns_per_instruction: float
    is_estimated: bool
    source: str


def board_constants(folder: str | Path) -> dict[str, BoardConstant]:
    """The constants of an instruction table by name of the board.

    Raises:
        FileNotFoundError: the table has none.
        ValueError: the file is no plain one or too large, or a row is no constant of a known board; the
            message names file, row and field.
    """
    folder = Path(folder)
    found: dict[str, BoardConstant] = {}
    for where, row in csv_rows(folder / CONSTANTS, COLUMNS, _LARGEST):
        one = _constant(folder.name, row, where)
        if one.board.name in found:
            raise ValueError(f"{where}: board {one.board.name} occurs twice")
        found[one.board.name] = one
    return found


def board_constant(name: str, folder: str | Path) -> BoardConstant:
    """The constant of the board called `name`, in any case, in an instruction table.

    Raises:
        ValueError: no board is given, there is none of that name, or it has no constant; the message names
            those that have one.
    """
    constants, table = board_constants(folder), Path(folder).name
    if not name.strip():
        raise ValueError(f"{table} needs a board: {', '.join(f'{table}:{board}' for board in constants)}")
    found = constants.get(name.strip().lower())
    if found is None:
        known = boards().get(name.strip().lower())
        why = f"{known.name} ({known.core}) has no timing constant" if known else f"no board {name[:40]!r}"
        raise ValueError(f"{why} in {table}; boards that have one: {', '.join(constants)}")
    return found


def _constant(table: str, row: list[str], where: str) -> BoardConstant:
    name, constant, estimated, source = row
    board = boards().get(name)
    if board is None:
        raise ValueError(f"{where}: field 'board' is {name[:40]!r}, which is not in the list of boards")
    if estimated not in ("yes", "no"):
        raise ValueError(f"{where}: field 'is_estimated' is {estimated[:40]!r}; it must be yes or no")
    if not (source and source.isprintable() and len(source) <= 1000):
        raise ValueError(f"{where}: field 'source' must be a printable text")
    value = _positive(constant, f"{where}: field 'ns_per_instruction'")
    return BoardConstant(table, board, value, estimated == "yes", source)


def _positive(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{where}: {text[:40]!r} is not a number") from None
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"{where} is {value}; it must be a finite positive number")
    return value
