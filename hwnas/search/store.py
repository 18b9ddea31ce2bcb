"""The trials of a run in SQLite: written as they come, whole or not at all."""

from __future__ import annotations

import json
import math
import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hwnas.search.records import Trial

SCHEMA = 2

Row = tuple[Trial, tuple[int, ...]]


class CorruptRunError(ValueError):
    """A run folder cannot be read; the message names the file and what is wrong."""


class TrialStore:
    """Trials by number, and small JSON documents by name, in one file.

    With `read_only` nothing is created or changed, so that the file must be such a store already.

    Raises:
        CorruptRunError: the file is not such a store.
        OSError: it cannot be opened or written.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path
        try:
            self._connection = _opened(path) if read_only else sqlite3.connect(path, isolation_level=None)
            self._check_schema(may_be_new=not read_only)
            if not read_only:
                self._create()
        except sqlite3.OperationalError as error:
            raise OSError(f"cannot open {path}: {error}") from error
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise CorruptRunError(f"{path} is damaged or is no record of trials: {error}") from error

    def _check_schema(self, *, may_be_new: bool) -> None:
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version == SCHEMA or (version == 0 and may_be_new):
            return
        self._connection.close()
        if version == 0:
            raise CorruptRunError(f"{self.path} is damaged: it is empty, or no record of trials")
        raise CorruptRunError(f"{self.path} was written by another version of hwnas (schema {version})")

    def _create(self) -> None:
        self._connection.execute("PRAGMA journal_mode=WAL")
        # With a write-ahead log, NORMAL loses no committed trial when the process is killed.
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(
            f"""
            CREATE TABLE IF NOT EXISTS trials (
                number INTEGER PRIMARY KEY, architecture TEXT NOT NULL, encoding TEXT NOT NULL,
                maximize TEXT NOT NULL, status TEXT NOT NULL, metrics TEXT NOT NULL,
                reason TEXT NOT NULL, seconds REAL NOT NULL, lost INTEGER NOT NULL);
            CREATE TABLE IF NOT EXISTS documents (name TEXT PRIMARY KEY, content TEXT NOT NULL);
            PRAGMA user_version={SCHEMA};
            """
        )

    def add(self, trial: Trial, encoding: tuple[int, ...]) -> None:
        """Record a trial for good; raises OSError where the disk does not take it."""
        self._write(
            "INSERT INTO trials VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                trial.number,
                trial.architecture,
                json.dumps(encoding),
                trial.asked,
                trial.status,
                json.dumps(dict(trial.metrics)),
                trial.reason,
                trial.seconds,
                trial.lost,
            ),
        )

    def count(self) -> int:
        """Number of recorded trials."""
        return int(self._connection.execute("SELECT COUNT(*) FROM trials").fetchone()[0])

    def trials(self) -> list[Trial]:
        """All trials in order."""
        return [trial for trial, _ in self.rows()]

    def rows(self) -> list[Row]:
        """All trials in order, with their encoding.

        Raises:
            CorruptRunError: a row cannot be read, or trials are missing.
        """
        try:
            found = self._connection.execute("SELECT * FROM trials ORDER BY number").fetchall()
        except sqlite3.DatabaseError as error:
            raise CorruptRunError(f"{self.path} is damaged: {error}") from error
        rows = [self._read(row) for row in found]
        if [trial.number for trial, _ in rows] != list(range(len(rows))):
            raise CorruptRunError(f"{self.path} is damaged: trials are missing")
        return rows

    def _read(self, row: tuple[Any, ...]) -> Row:
        try:
            return _read_row(row)
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            raise CorruptRunError(f"{self.path} is damaged: trial {row[0]}: {error}") from error

    def put(self, name: str, content: Mapping[str, Any]) -> None:
        """Keep a document under `name`, in place of an earlier one; raises OSError as `add`."""
        self._write("INSERT OR REPLACE INTO documents VALUES (?, ?)", (name, json.dumps(content)))

    def get(self, name: str) -> dict[str, Any] | None:
        """The document kept under `name`, or None."""
        row = self._connection.execute("SELECT content FROM documents WHERE name = ?", (name,)).fetchone()
        return None if row is None else dict(json.loads(row[0]))

    def _write(self, statement: str, values: tuple[Any, ...]) -> None:
        try:
            self._connection.execute(statement, values)
        except sqlite3.OperationalError as error:
            raise OSError(f"cannot write {self.path}: {error}") from error

    def close(self) -> None:
        """Write everything into the one file and close it."""
        self._connection.close()


def _opened(path: Path) -> sqlite3.Connection:
    """A connection that creates no file; the log of a killed search is read in a writable folder only."""
    how = "mode=rw" if os.access(path.parent, os.W_OK) else "immutable=1"
    return sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True)


def _read_row(row: tuple[Any, ...]) -> Row:
    number, architecture, encoding, maximize, status, metrics, reason, seconds, lost = row
    if status not in ("complete", "infeasible", "failed"):
        raise ValueError(f"the status is {status!r}")
    values = _read_metrics(metrics)
    if status == "complete" and maximize not in values:
        raise ValueError(f"it is complete without {maximize}")
    told = (str(reason), float(seconds), str(maximize), bool(lost))
    return Trial(int(number), str(architecture), status, values, *told), tuple(
        int(index) for index in json.loads(encoding)
    )


def _read_metrics(text: str) -> dict[str, float]:
    content = json.loads(text)
    if not isinstance(content, dict):
        raise ValueError(f"metrics must be values by name, not {text[:60]}")
    values = {str(name): float(value) for name, value in content.items()}
    for name, value in values.items():
        if not math.isfinite(value):
            raise ValueError(f"{name} must be a finite number, not {value}")
    return values
