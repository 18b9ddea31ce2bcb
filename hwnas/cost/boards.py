"""Boards with a microcontroller, and the limits that they set. kB is 1024 bytes."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path

from hwnas.csv_rows import csv_rows
from hwnas.objectives.constraint import Constraint
from hwnas.objectives.quantity import parse_quantity

COLUMNS = ("board", "core", "clock_mhz", "sram_kb", "flash_kb", "source")
_SHIPPED = Path(__file__).with_name("boards.csv")
_LARGEST_FILE = 1 << 20
_LARGEST_NUMBER = 1 << 30


@dataclass(frozen=True)
class Board:
    """A board, or the chip that decides its limits.

    Attributes:
        name: what it is called.
        core: its processor.
        clock_mhz: its highest clock.
        sram_bytes: SRAM that one arena can lie in.
        flash_bytes: flash for the program and the network.
        source: where the figures come from.
    """

    name: str
    core: str
    clock_mhz: int
    sram_bytes: int
    flash_bytes: int
    source: str


@dataclass(frozen=True)
class Limits:
    """What a network may need, in bytes; None where nothing is limited."""

    sram_bytes: int | None = None
    flash_bytes: int | None = None

    def constraints(self) -> list[Constraint]:
        """The limits as constraints on `peak_sram_bytes` and `flash_bytes`."""
        bounds = {"peak_sram_bytes": self.sram_bytes, "flash_bytes": self.flash_bytes}
        return [Constraint(name, bound) for name, bound in bounds.items() if bound is not None]


def board(name: str) -> Board:
    """The board called `name`, in any case.

    Raises:
        ValueError: there is none; the message names those that are near, and all.
    """
    return _find(name)


def boards() -> dict[str, Board]:
    """The boards that hwnas knows, by name."""
    return dict(_shipped())


def read_boards(path: str | Path) -> dict[str, Board]:
    """The boards of a CSV file with the columns `COLUMNS`, by name.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is no plain one or too large, or a row is not a board; the message names file,
            row and field.
    """
    found: dict[str, Board] = {}
    for where, row in csv_rows(Path(path), COLUMNS, _LARGEST_FILE):
        one = _board(row, where)
        if one.name in found:
            raise ValueError(f"{where}: board {one.name} occurs twice")
        found[one.name] = one
    return found


def limits(
    board: str | Board | None = None, sram: str | int | None = None, flash: str | int | None = None
) -> Limits:
    """The limits of a board, of amounts such as `320kB` and `1MB` or in bytes, or of both.

    An amount that is given stands instead of the board's.

    Raises:
        ValueError: an unknown board; an amount in words without a unit, or one that is not positive and
            finite, or no amount.
    """
    if not (board is None or isinstance(board, (str, Board))):
        raise ValueError(f"board must be a name or a Board, not {board!r}")
    found = _find(board) if isinstance(board, str) else board
    sram_bytes = found.sram_bytes if found else None
    flash_bytes = found.flash_bytes if found else None
    return Limits(
        sram_bytes if sram is None else _amount(sram, "sram", "SRAM"),
        flash_bytes if flash is None else _amount(flash, "flash", "flash"),
    )


@lru_cache(maxsize=1)
def _shipped() -> dict[str, Board]:
    return read_boards(_SHIPPED)


def _find(name: str) -> Board:
    known = _shipped()
    found = known.get(name.strip().lower())
    if found is None:
        near = get_close_matches(name.strip().lower(), known, n=3)
        meant = f"; did you mean {' or '.join(near)}?" if near else ""
        raise ValueError(f"no board is called {name[:40]!r}{meant} (known: {', '.join(known)})")
    return found


def _amount(given: object, name: str, what: str) -> int:
    """The bytes that argument `name` states."""
    if isinstance(given, int) and not isinstance(given, bool) and given > 0:
        return given
    if not isinstance(given, str):
        raise ValueError(
            f"{name} must be an amount such as '320kB', or a positive int of bytes, not {given!r}"
        )
    text = given.strip()
    value = parse_quantity(text, "bytes")
    if value < 1:
        raise ValueError(f"{text!r} of {what} is not a positive number of bytes")
    if not text[-1].isalpha():
        raise ValueError(f"{text!r} of {what}: give a unit, such as {text}kB (kB is 1024 bytes)")
    return int(value)


def _board(row: list[str], where: str) -> Board:
    name, core, clock, sram, flash, source = row
    if not all(text and text.isprintable() and len(text) <= 1000 for text in (name, core, source)):
        raise ValueError(f"{where}: board, core and source must be printable texts")
    if name != name.strip().lower():
        raise ValueError(f"{where}: the name {name[:40]!r} must be in lower case, without spaces around it")
    numbers = [
        _positive(text, f"{where}: field {field!r}")
        for text, field in zip((clock, sram, flash), COLUMNS[2:5], strict=True)
    ]
    return Board(name, core, numbers[0], 1024 * numbers[1], 1024 * numbers[2], source)


def _positive(text: str, where: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and 0 < int(text) <= _LARGEST_NUMBER):
        raise ValueError(f"{where} is {text[:40]!r}; it must be a whole number from 1 to {_LARGEST_NUMBER}")
    return int(text)
