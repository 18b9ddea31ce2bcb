"""A comparison of strategies as one HTML page that needs nothing else: it loads no script, font or image."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from plotly.offline import get_plotlyjs

from hwnas.files import write_whole
from hwnas.report import markup as m
from hwnas.report.colours import GREY
from hwnas.report.comparison_lines import Line, limits, lines
from hwnas.report.comparison_text import (
    MEANING,
    SECONDS_MEANING,
    headline,
    heads,
    legend,
    remarks,
    rows,
    second_marks,
    seconds_table,
    task,
)
from hwnas.report.plotting import Figure, axis_style, layout_of, numbers
from hwnas.report.text import unbroken
from hwnas.search.comparison import StrategyComparison

_HERE = Path(__file__).parent
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
    "img-src data: blob:; connect-src 'none'"
)
_BACKGROUND = "#c9d0d6"


def write_html(comparison: StrategyComparison, path: Path | str) -> None:
    """Write the page; a file of that name is replaced at once, never half.

    Raises:
        OSError: the folder is missing or cannot be written.
    """
    write_whole(Path(path), page(comparison).encode("utf-8", "replace"))


def page(comparison: StrategyComparison) -> str:
    """The whole page."""
    style = (_HERE / "page.css").read_text(encoding="utf-8")
    draw = (_HERE / "page.js").read_text(encoding="utf-8")
    told = escape(task(comparison))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>strategies on {escape(comparison.space)} · hwnas</title><style>{style}</style></head>"
        f'<body><main><header><p class="eyebrow">hwnas benchmark · {told}</p>'
        f"<h1>{escape(unbroken(headline(comparison)))}</h1></header>"
        "<noscript><p>The plot of this page needs JavaScript; its table does not.</p></noscript>"
        f"{_curves(comparison)}{_table(comparison)}{_seconds(comparison)}</main>"
        f"<script>{get_plotlyjs()}</script><script>{draw}</script></body></html>\n"
    )


def _curves(comparison: StrategyComparison) -> str:
    plot = m.plot("curves", "Best value against the number of trained networks", curves(comparison), "")
    return m.section("What each finds", m.caption(MEANING), plot)


def _table(comparison: StrategyComparison) -> str:
    notes = "".join(m.note(line) for line in remarks(comparison))
    table = _marked_up(heads(comparison), rows(comparison))
    return m.section("In numbers", m.caption(f"{legend(comparison)}."), table, notes)


def _seconds(comparison: StrategyComparison) -> str:
    if not second_marks(comparison):
        return ""
    return m.section(
        "In simulated seconds of training",
        m.caption(f"{SECONDS_MEANING}."),
        _marked_up(*seconds_table(comparison)),
    )


def _marked_up(top: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    body = [("", [m.name(line[0]), *(m.number(text) for text in line[1:])]) for line in lines]
    return m.table([m.name(top[0]), *(m.number(head) for head in top[1:])], body)


def curves(comparison: StrategyComparison) -> Figure:
    """The plot: a line for each entry, with its quartiles where it has a colour."""
    drawn = lines(comparison)
    data = [trace for line in reversed(drawn) for trace in _traces(line)]
    low, high = limits(comparison)
    layout = layout_of(
        620,
        xaxis={**axis_style("networks trained"), "type": "log", "dtick": "D1"},
        yaxis={
            **axis_style(f"best {comparison.objective.maximize} within the bounds"),
            "range": [low, high],
        },
        legend={"orientation": "h", "x": 0, "y": -0.14, "yanchor": "top", "traceorder": "reversed"},
        margin={"l": 64, "r": 24, "t": 12, "b": 160},
        shapes=[
            {
                "type": "line",
                "xref": "paper",
                "x0": 0,
                "x1": 1,
                "y0": comparison.optimum,
                "y1": comparison.optimum,
                "line": {"color": GREY, "width": 1, "dash": "dot"},
            }
        ],
    )
    return {"data": data, "layout": layout}


def _traces(line: Line) -> list[dict[str, Any]]:
    entry, colour = line.entry, line.colour or _BACKGROUND
    name = escape(entry.label).replace("%{", "% {")
    x = list(range(1, entry.best.shape[1] + 1))
    median = {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "legendgroup": name,
        "x": x,
        "y": numbers(entry.quantile(0.5)),
        "line": {
            "color": colour,
            "width": 2.2 if line.colour else 1,
            "dash": "dash" if entry.is_peer else "solid",
        },
        "hovertemplate": f"<b>{name}</b><br>%{{y:.5~g}} after %{{x}}<extra></extra>",
    }
    if line.colour is None:
        return [median]
    low, high = entry.quantile(0.25), entry.quantile(0.75)
    known = np.isfinite(low) & np.isfinite(high)
    places = np.array(x)[known]
    band = {
        "type": "scatter",
        "mode": "lines",
        "legendgroup": name,
        "showlegend": False,
        "hoverinfo": "skip",
        "x": [*places.tolist(), *places[::-1].tolist()],
        "y": numbers(np.concatenate([high[known], low[known][::-1]])),
        "fill": "toself",
        "fillcolor": colour,
        "opacity": 0.12,
        "line": {"width": 0},
    }
    return [band, median]
