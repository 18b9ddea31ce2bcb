"""Rows of CSV files that may be anybody's, each with the place that messages name."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from hwnas.files import read_file


def csv_rows(path: Path, columns: Sequence[str], largest: int) -> Iterator[tuple[str, list[str]]]:
    """The rows of a file with exactly `columns`: `path: row n`, from 1 below the header, and the fields.

    Args:
        path: of a plain file.
        columns: the header that it must have.
        largest: the most bytes that it may have.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is a link, no plain file, too large, not UTF-8 or not CSV, its header is another, or a
            row has another number of fields; the message names file and row.
    """
    header, *rows = _parsed(path, largest) or [[]]
    if header != list(columns):
        raise ValueError(f"{path}: the columns are {header}; they must be {list(columns)}")
    for number, row in enumerate(rows, start=1):
        where = f"{path}: row {number}"
        if len(row) != len(columns):
            raise ValueError(f"{where}: {len(row)} fields; it must have {len(columns)}")
        yield where, row


def csv_records(path: Path, largest: int) -> list[dict[str, str]]:
    """The rows of a file with any columns, each as its fields by column; empty rows are left out.

    A short row lacks its last columns, and what is beyond the header is left out; raises as `csv_rows`.
    """
    header, *rows = _parsed(path, largest) or [[]]
    return [dict(zip(header, row, strict=False)) for row in rows if row]


def _parsed(path: Path, largest: int) -> list[list[str]]:
    content = read_file(path, largest)
    try:
        return list(csv.reader(io.StringIO(content.decode(), newline=""), strict=True))
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not UTF-8: {error}") from None
    except csv.Error as error:
        raise ValueError(f"{path}: not CSV: {error}") from None
