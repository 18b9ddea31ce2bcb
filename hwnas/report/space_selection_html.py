"""A selection as one HTML page that needs nothing else: it loads no script, font or image."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from plotly.offline import get_plotlyjs

from hwnas.files import write_whole
from hwnas.report import markup as m
from hwnas.report.colours import GREY, PAPER
from hwnas.report.plotting import Figure, axis_style, layout_of, numbers
from hwnas.report.space_selection_curves import P80, Curve, curves
from hwnas.report.space_selection_text import HEADS, MEANING, certainty, headline, limits, remarks, rows
from hwnas.report.text import UNKNOWN, count, percent, unbroken
from hwnas.tinynas import Selection

_HERE = Path(__file__).parent
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
    "img-src data: blob:; connect-src 'none'"
)
_BACKGROUND = "#c9d0d6"


def write_html(selection: Selection, path: Path | str) -> None:
    """Write the page; a file of that name is replaced at once, never half.

    Raises:
        OSError: the folder is missing or cannot be written.
    """
    write_whole(Path(path), page(selection).encode("utf-8", "replace"))


def page(selection: Selection) -> str:
    """The whole page."""
    style = (_HERE / "page.css").read_text(encoding="utf-8")
    draw = (_HERE / "page.js").read_text(encoding="utf-8")
    told = escape(limits(selection))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>search space for {told} · hwnas</title><style>{style}</style></head><body><main>"
        f'<header><p class="eyebrow">hwnas select-space · {told}</p>'
        f"<h1>{escape(unbroken(headline(selection)))}</h1>{m.tiles(_tiles(selection))}</header>"
        "<noscript><p>The plot of this page needs JavaScript; its table does not.</p></noscript>"
        f"{_figure(selection)}{_table(selection)}</main>"
        f"<script>{get_plotlyjs()}</script><script>{draw}</script></body></html>\n"
    )


def _tiles(selection: Selection) -> list[m.Tile]:
    best = selection.best
    return [
        m.Tile("space", best.name, str(best.space)),
        m.Tile("mean MACs", count(best.mean_macs), f"80 % within {count(best.p80_macs)}"),
        m.Tile("satisfying", percent(best.feasible), f"{best.satisfying:,} of {best.drawn:,} drawn"),
        _sureness(best.probability_first),
        m.Tile("spaces", str(len(selection.ranked)), f"{selection.drawn:,} networks"),
    ]


def _sureness(probability: float | None) -> m.Tile:
    if probability is None:
        return m.Tile("is the first", UNKNOWN, "too few networks to say how surely")
    return m.Tile("is the first", percent(probability), "probability, by the bootstrap")


def _figure(selection: Selection) -> str:
    plot = m.plot("cdf", "CDF of the MACs of each space's satisfying networks", cdf(selection), "")
    return m.section("What the spaces hold within the limits", m.caption(MEANING), plot)


def _table(selection: Selection) -> str:
    first, *others = HEADS
    body = [
        (
            "winner" if one is selection.best else "",
            [m.name(row[0]), *(m.number(text) for text in row[1:])],
        )
        for one, row in zip(selection.ranked, rows(selection.ranked), strict=True)
    ]
    table = m.table([m.name(first), *(m.number(head) for head in others)], body)
    notes = "".join(m.note(line) for line in remarks(selection))
    runtime = f"; runtime {selection.runtime}" if selection.runtime else ""
    method = f"Ranked by {selection.criterion}{runtime}; seed {selection.seed}. {certainty(selection)}"
    return m.section("All spaces", m.caption(method), notes, table)


def cdf(selection: Selection) -> Figure:
    """The plot: a line for each space, those of the background without a legend."""
    drawn = curves(selection)
    lines = [_line(one) for one in reversed(drawn)]
    layout = layout_of(
        560,
        xaxis={**axis_style("MACs of the satisfying networks (millions)"), "rangemode": "tozero"},
        yaxis={**axis_style("networks with at most so many"), "range": [0, 1.01], "tickformat": ".0%"},
        legend={"orientation": "h", "x": 0, "y": -0.16, "yanchor": "top", "traceorder": "reversed"},
        margin={"l": 64, "r": 24, "t": 12, "b": 120},
        shapes=[
            {
                "type": "line",
                "xref": "paper",
                "x0": 0,
                "x1": 1,
                "y0": P80,
                "y1": P80,
                "line": {"color": GREY, "width": 1, "dash": "dash"},
            }
        ],
    )
    return {"data": [*lines, _p80(drawn)], "layout": layout}


def _line(one: Curve) -> dict[str, Any]:
    name = escape(one.space.name).replace("%{", "% {")
    width = {"color": _BACKGROUND, "width": 0.8}
    if one.colour is not None:
        width = {"color": one.colour, "width": 2.4, "dash": "dash" if one.space.is_flagged else "solid"}
    label = escape(one.label).replace("%{", "% {")
    return {
        "type": "scatter",
        "mode": "lines",
        "name": label,
        "x": numbers(one.macs / 1e6),
        "y": numbers(one.fraction),
        "line": width,
        "showlegend": one.colour is not None,
        "hovertemplate": f"<b>{name}</b><br>%{{y:.0%}} within %{{x:.4~g}} M<br>{label}<extra></extra>",
    }


def _p80(drawn: list[Curve]) -> dict[str, Any]:
    """Where the coloured lines reach 80 %."""
    coloured = [one for one in drawn if one.colour is not None]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [float(f"{one.space.p80_macs / 1e6:.6g}") for one in coloured],
        "y": [P80] * len(coloured),
        "marker": {
            "color": [one.colour for one in coloured],
            "size": 9,
            "line": {"color": PAPER, "width": 1.5},
        },
        "text": [escape(one.space.name) for one in coloured],
        "hovertemplate": "<b>%{text}</b><br>80 % within %{x:.4~g} M<extra></extra>",
        "showlegend": False,
    }
