"""The plots of progress, candidates and blocks, as plotly's JSON: `data` and `layout` each."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwnas.report import derived
from hwnas.report.colours import BLUE, GREY, INK, MUTED, ORANGE, PAPER, SKY, VERMILION
from hwnas.report.derived import FAILED, FEASIBLE, INFEASIBLE
from hwnas.report.plotting import Figure, axis_style, hover_value, layout_of, markers, numbers
from hwnas.report.text import count, percent, shorten
from hwnas.search.records import BlockShare, RunRecord

STATE_COLOURS = {FEASIBLE: BLUE, INFEASIBLE: ORANGE, FAILED: GREY}
_PATTERNS: dict[str, dict[str, Any]] = {
    FEASIBLE: {},
    INFEASIBLE: {},
    FAILED: {"shape": "/", "fillmode": "overlay", "fgcolor": INK, "size": 5},
}


def progress(record: RunRecord) -> Figure | None:
    """Best feasible score so far, above the number of trials of each state; None without trials."""
    if not record.trials:
        return None
    score, points = derived.score_axis(record), derived.cloud(record)
    feasible = (points.state == FEASIBLE) & np.isfinite(points.score)
    edges, groups = derived.counts(points)
    data: list[dict[str, Any]] = [
        {
            **markers(points.number[feasible], points.score[feasible]),
            "name": "feasible trial",
            "marker": {"color": BLUE, "size": 5, "opacity": 0.4},
            "hovertemplate": f"trial %{{x}}<br>{hover_value(score, 'y')}<extra></extra>",
        },
        {
            "type": "scatter",
            "mode": "lines",
            "name": "best so far",
            "x": points.number.tolist(),
            "y": numbers(derived.best_so_far(points)),
            "line": {"color": INK, "width": 2.5, "shape": "hv"},
            "hovertemplate": f"best up to trial %{{x}}<br>{hover_value(score, 'y')}<extra></extra>",
        },
    ]
    data = [trace for trace in data if any(value is not None for value in trace["y"])]
    data += _state_bars(edges, groups)
    layout = layout_of(
        480,
        xaxis={**axis_style("trial"), "anchor": "y2", **_whole(len(points.number))},
        yaxis={**axis_style(score.title, derived.wants_log(points.score[feasible])), "domain": [0.34, 1]},
        yaxis2={
            **axis_style("trials"),
            "domain": [0, 0.24],
            "rangemode": "tozero",
            **_whole(len(points.number) // len(edges)),
            "nticks": 4,
        },
        barmode="stack",
        bargap=0.08,
    )
    return {"data": data, "layout": layout}


def agreement(record: RunRecord) -> Figure | None:
    """Measured against predicted latency with the diagonal and bands; None without such candidates."""
    found = derived.comparison(record)
    if not found.position:
        return None
    both = np.concatenate([found.predicted, found.measured])
    low, high = 0.9 * float(both.min()), 1.1 * float(both.max())
    line = [low, high]
    data: list[dict[str, Any]] = [
        _band(line, 0.10, "rgba(86,180,233,0.18)"),
        _band(line, 0.05, "rgba(86,180,233,0.32)"),
        {
            **{"type": "scatter", "mode": "lines", "name": "measured = predicted", "x": line, "y": line},
            "line": {"color": MUTED, "width": 1.5},
            "hoverinfo": "skip",
        },
        _numbered(record, found),
    ]
    layout = layout_of(
        440,
        xaxis={**axis_style("predicted latency (ms)"), "range": line},
        yaxis={**axis_style("measured latency (ms)"), "range": line},
    )
    return {"data": data, "layout": layout}


def blocks(shares: Sequence[BlockShare]) -> Figure | None:
    """Each block's share of the latency and of the MACs, in the order of the network; None without."""
    if not shares:
        return None
    rows = list(range(len(shares)))
    names = [f"<b>{escape(shorten(b.name, 60))}</b><br>{escape(shorten(b.operators, 60))}" for b in shares]
    latency, macs = derived.shares(b.latency_ms for b in shares), derived.shares(b.macs for b in shares)
    times = ["not measured" if b.latency_ms is None else f"{b.latency_ms:.3g} ms" for b in shares]
    data = [
        _share_bars("share of the latency", rows, latency, BLUE, names, times),
        _share_bars("share of the MACs", rows, macs, SKY, names, [f"{count(b.macs)} MACs" for b in shares]),
    ]
    data = [trace for trace in data if any(value is not None for value in trace["x"])]
    labels = [escape(shorten(b.name, 24)) for b in shares]
    layout = layout_of(
        120 + 30 * len(shares),
        xaxis={**axis_style("share of the network (%)"), "rangemode": "tozero"},
        yaxis={
            **{"tickvals": rows, "ticktext": labels, "range": [len(rows) - 0.4, -0.6]},
            **{"automargin": True, "fixedrange": True, "ticks": "outside", "tickcolor": PAPER},
        },
        barmode="group",
        bargap=0.25,
    )
    return {"data": data, "layout": layout} if data else None


def _state_bars(edges: NDArray[np.float64], groups: dict[str, NDArray[np.intp]]) -> list[dict[str, Any]]:
    middles, width = (edges[:-1] + edges[1:]) / 2, float(edges[1] - edges[0])
    return [
        {
            "type": "bar",
            "name": state,
            "x": middles.tolist(),
            "y": number.tolist(),
            "width": width * 0.92,
            "yaxis": "y2",
            "marker": {
                "color": STATE_COLOURS[state],
                "pattern": _PATTERNS[state],
            },
            "hovertemplate": f"%{{y}} {state}<extra></extra>",
        }
        for state, number in groups.items()
        if number.any()
    ]


def _band(line: list[float], width: float, colour: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": f"± {100 * width:.0f} %",
        "x": [*line, *line[::-1]],
        "y": [v * (1 + width) for v in line] + [v * (1 - width) for v in line[::-1]],
        "fill": "toself",
        "fillcolor": colour,
        "line": {"width": 0},
        "hoverinfo": "skip",
    }


def _numbered(record: RunRecord, found: derived.Comparison) -> dict[str, Any]:
    winner = [i == record.winner for i in found.position]
    shifts = [percent(derived.deviation(record.candidates[i]), signed=True) for i in found.position]
    return {
        "type": "scatter",
        "mode": "markers+text",
        "name": "candidate",
        "showlegend": False,
        "x": found.predicted.tolist(),
        "y": found.measured.tolist(),
        "text": [f"#{i + 1}" for i in found.position],
        "textposition": label_sides(found.predicted, "top left", "bottom right"),
        "customdata": shifts,
        "marker": {
            "symbol": ["star" if won else "diamond" for won in winner],
            "size": [17 if won else 11 for won in winner],
            "color": [VERMILION if won else PAPER for won in winner],
            "opacity": 1,
            "line": {"color": INK, "width": 1.8},
        },
        "hovertemplate": (
            "<b>candidate %{text}</b><br>predicted %{x:.3~g} ms<br>measured %{y:.3~g} ms"
            "<br>%{customdata}<extra></extra>"
        ),
    }


def label_sides(values: NDArray[np.float64], first: str, second: str) -> list[str]:
    """A side for each label so that neighbours along an axis, values (k,), take different ones."""
    sides = [""] * len(values)
    for rank, i in enumerate(np.argsort(values, kind="stable")):
        sides[i] = (first, second)[rank % 2]
    return sides


def _share_bars(
    name: str, rows: list[int], values: NDArray[np.float64], colour: str, names: list[str], amounts: list[str]
) -> dict[str, Any]:
    return {
        "type": "bar",
        "orientation": "h",
        "name": name,
        "x": numbers(100 * values),
        "y": rows,
        "marker": {"color": colour},
        "text": names,
        "textposition": "none",
        "customdata": amounts,
        "hovertemplate": f"%{{text}}<br>%{{customdata}}<br>{name}: %{{x:.1f}} %<extra></extra>",
    }


def _whole(span: int) -> dict[str, Any]:
    """Ticks at whole numbers, also where the axis spans few."""
    return {"tickformat": ",d", "dtick": 1} if span < 5 else {"tickformat": ",d"}
