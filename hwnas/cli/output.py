"""Printing: tables for people, JSON for machines, progress on the error stream."""

from __future__ import annotations

import json
import math
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

TEXT = ("description", "settings", "needs", "folder", "kind", "better", "formula", "paper")

SILENCE = 15.0

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)
_show_as_python = warnings.showwarning


def print_json(content: Any) -> None:
    """Print valid JSON: numbers that are not finite become null."""
    print(json.dumps(_finite(content), indent=2, ensure_ascii=False, default=str))


def _finite(content: Any) -> Any:
    if isinstance(content, float) and not math.isfinite(content):
        return None
    if isinstance(content, Mapping):
        return {str(key): _finite(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_finite(value) for value in content]
    return content


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str | None = None) -> None:
    """Print a table; numbers are aligned to the right."""
    if title is not None:
        console.print(title, markup=False, soft_wrap=True, style="italic")
    table = Table(box=None, pad_edge=False)
    for index, column in enumerate(columns):
        text = not index or column in TEXT
        table.add_column(column, justify="left" if text else "right", overflow="fold")
    for row in rows:
        table.add_row(*row)
    console.print(table, markup=False)


def check_output(path: Path, *suffixes: str, option: str = "--out") -> None:
    """Refuse a file that could not be written in the end; raises ValueError naming the option."""
    if path.suffix not in suffixes or path.is_dir():
        raise ValueError(f"{option} {path} must be a file that ends in {' or '.join(suffixes)}")
    if not path.absolute().parent.is_dir():
        raise ValueError(f"{option} {path}: the folder {path.parent} does not exist")


def say(message: str) -> None:
    """A line for people, on the error stream."""
    errors.print(message, markup=False, soft_wrap=True)


def show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """For `warnings.showwarning`: warnings of hwnas as one line for people, others as Python shows them."""
    if category.__module__.partition(".")[0] == "hwnas":
        say(f"warning: {message}")
    else:
        _show_as_python(message, category, filename, lineno, file, line)


class Bar:
    """One progress bar; where the error stream is no terminal, a line every `SILENCE` seconds."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task
        self._said = time.monotonic() - SILENCE
        self._pace = ("", 0, 0.0)

    def update(self, done: int, total: int, message: str) -> None:
        """Show `done` of `total` and a word on what is happening."""
        self._progress.update(self._task, completed=done, total=total, description=message)
        if not errors.is_terminal and time.monotonic() - self._said >= SILENCE:
            self._said = time.monotonic()
            say(f"{message} ({done} of {total}{self._left(done, total, message)})")

    def _left(self, done: int, total: int, message: str) -> str:
        """The time left as this message's pace tells, nothing while that is not known."""
        if message != self._pace[0]:
            self._pace = (message, done, time.monotonic())
        _, first, since = self._pace
        if done == first:
            return ""
        minutes = (time.monotonic() - since) / (done - first) * (total - done) / 60
        return f", about {minutes:.0f} min left" if minutes >= 1 else ", less than a minute left"


@contextmanager
def progress_bar(message: str) -> Iterator[Bar]:
    """A bar on the error stream, shown only to people."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=errors, disable=not errors.is_terminal) as progress:
        yield Bar(progress, progress.add_task(message, total=None))
