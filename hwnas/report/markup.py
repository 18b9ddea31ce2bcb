"""HTML from texts that may hold anything: every text is escaped here, once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from hwnas.report.text import shorten, unbroken


@dataclass(frozen=True)
class Cell:
    """A table's cell: HTML, and the class that says how it is set."""

    html: str
    kind: str = ""


@dataclass(frozen=True)
class Tile:
    """A number with its name, and a remark under it."""

    name: str
    value: str
    remark: str = ""


def number(text: str) -> Cell:
    """A cell with a number, set to the right."""
    return Cell(escape(text), "number")


def name(text: str) -> Cell:
    """A cell with a short text, kept on one line."""
    return Cell(escape(shorten(text, 40)), "name")


def long(text: str) -> Cell:
    """A cell with a text of any length."""
    return Cell(escape(text), "long")


def folded(text: str) -> Cell:
    """A cell with a long text behind its beginning."""
    if len(text) <= 48:
        return Cell(f"<code>{escape(text)}</code>", "long")
    start = escape(shorten(text, 28))
    return Cell(f"<details><summary>{start}</summary><code>{escape(text)}</code></details>", "long")


def link(file: str) -> str:
    """A link to a file in the report's folder or below; only its text where it lies elsewhere."""
    path = PurePosixPath(file)
    if path.is_absolute() or ".." in path.parts:
        return escape(file)
    return f'<a href="./{quote(str(path))}">{escape(shorten(file, 40))}</a>'


def table(heads: Sequence[Cell], rows: Sequence[tuple[str, Sequence[Cell]]], kind: str = "") -> str:
    """A table that scrolls when it is wide; each row with its class."""
    top = "".join(_cell("th", head) for head in heads)
    body = "".join(
        f"<tr{_class(row_kind)}>{''.join(_cell('td', cell) for cell in cells)}</tr>"
        for row_kind, cells in rows
    )
    head = f"<thead><tr>{top}</tr></thead>" if heads else ""
    return f'<div class="scroll"><table{_class(kind)}>{head}<tbody>{body}</tbody></table></div>'


def tiles(items: Sequence[Tile]) -> str:
    """A row of numbers."""
    return f'<dl class="tiles">{"".join(_tile(item) for item in items)}</dl>' if items else ""


def caption(text: str) -> str:
    """A paragraph that explains a plot."""
    return f'<p class="caption">{escape(text)}</p>'


def note(text: str) -> str:
    """What stands where there is nothing to draw."""
    return f'<p class="note">{escape(text)}</p>'


def section(title: str, *parts: str) -> str:
    """A section with a heading."""
    return f"<section><h2>{escape(title)}</h2>{''.join(parts)}</section>"


def plot(key: str, alternative: str, figure: dict[str, Any] | None, otherwise: str) -> str:
    """A plot with its data, or a note where there is none."""
    if figure is None:
        return note(otherwise)
    data = json.dumps(figure, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    return (
        f'<div class="plot" role="img" aria-label="{escape(alternative)}" data-figure="figure-{key}"></div>'
        f'<script type="application/json" id="figure-{key}">{data}</script>'
    )


def _tile(item: Tile) -> str:
    kind = "long" if len(item.value) > 14 else ""
    remark = f"<small>{escape(unbroken(item.remark))}</small>" if item.remark else ""
    value = f"<dd{_class(kind)}>{escape(item.value)}{remark}</dd>"
    return f'<div class="tile"><dt>{escape(item.name)}</dt>{value}</div>'


def _cell(tag: str, cell: Cell) -> str:
    return f"<{tag}{_class(cell.kind)}>{cell.html}</{tag}>"


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""
