"""The plots of the page, as plotly's JSON: a dict with `data` and `layout` each.

Texts from the record are escaped, since plotly reads some HTML in them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwnas.report import derived
from hwnas.report.colours import BLUE, GREEN, GREY, GRID, INK, MUTED, ORANGE, PAPER, SKY, VERMILION
from hwnas.report.derived import FAILED, FEASIBLE, INFEASIBLE, Axis, Cloud
from hwnas.report.text import count, label, percent, quantity, shorten, wrapped
from hwnas.search.records import BlockShare, RunRecord

Figure = dict[str, Any]
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
STATE_COLOURS = {FEASIBLE: BLUE, INFEASIBLE: ORANGE, FAILED: GREY}
_PATTERNS: dict[str, dict[str, Any]] = {
    FEASIBLE: {},
    INFEASIBLE: {},
    FAILED: {"shape": "/", "fillmode": "overlay", "fgcolor": INK, "size": 5},
}
_WEBGL_FROM = 1500
_HOVER_CHARACTERS = 4_000_000


def scatter(record: RunRecord) -> Figure | None:
    """Score against cost: trials, Pareto front, budget, candidates; None without a cost or a point."""
    cost, score, points = derived.cost_axis(record), derived.score_axis(record), derived.cloud(record)
    if cost is None or not (np.isfinite(points.cost).any() or record.candidates):
        return None
    texts = _hover_texts(record)
    data = [
        _trials(
            points,
            texts,
            INFEASIBLE,
            {"symbol": "x-thin", "size": 7, "line": {"width": 1.6, "color": ORANGE}},
        ),
        _trials(points, texts, FEASIBLE, {"symbol": "circle", "size": 7, "color": BLUE, "opacity": 0.55}),
        _unscored(points, texts),
        _front(points, score),
        _budget(record, cost),
        *_candidates(record, cost, score),
    ]
    for trace in data:
        if trace.get("text"):
            trace["hovertemplate"] = (
                f"<b>%{{customdata}}</b><br>{_at(cost, 'x')}{_at(score, 'y')}%{{text}}<extra></extra>"
            )
    layout = _layout(
        460,
        xaxis=_axis(cost.title, derived.wants_log(points.cost)),
        yaxis=_axis(score.title, derived.wants_log(points.score)),
        yaxis2={"overlaying": "y", "range": [0, 1], "visible": False, "fixedrange": True},
    )
    return {"data": [trace for trace in data if len(trace.get("x", ()))], "layout": layout}


def progress(record: RunRecord) -> Figure | None:
    """Best feasible score so far, above the number of trials of each state; None without trials."""
    if not record.trials:
        return None
    score, points = derived.score_axis(record), derived.cloud(record)
    feasible = (points.state == FEASIBLE) & np.isfinite(points.score)
    edges, groups = derived.counts(points)
    data: list[dict[str, Any]] = [
        {
            **_points(points.number[feasible], points.score[feasible]),
            "name": "feasible trial",
            "marker": {"color": BLUE, "size": 5, "opacity": 0.4},
            "hovertemplate": f"trial %{{x}}<br>{_at(score, 'y')}<extra></extra>",
        },
        {
            "type": "scatter",
            "mode": "lines",
            "name": "best so far",
            "x": points.number.tolist(),
            "y": _numbers(derived.best_so_far(points, score)),
            "line": {"color": INK, "width": 2.5, "shape": "hv"},
            "hovertemplate": f"best up to trial %{{x}}<br>{_at(score, 'y')}<extra></extra>",
        },
        *_state_bars(edges, groups),
    ]
    layout = _layout(
        480,
        xaxis={**_axis("trial"), "anchor": "y2", "tickformat": ",d"},
        yaxis={**_axis(score.title, derived.wants_log(points.score[feasible])), "domain": [0.34, 1]},
        yaxis2={
            **_axis("trials"),
            "domain": [0, 0.24],
            "rangemode": "tozero",
            "tickformat": ",d",
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
    layout = _layout(
        440,
        xaxis={**_axis("predicted latency (ms)"), "range": line},
        yaxis={**_axis("measured latency (ms)"), "range": line},
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
    layout = _layout(
        120 + 30 * len(shares),
        xaxis={**_axis("share of the network (%)"), "rangemode": "tozero"},
        yaxis={
            **{"tickvals": rows, "ticktext": labels, "range": [len(rows) - 0.4, -0.6]},
            **{"automargin": True, "fixedrange": True, "ticks": "outside", "tickcolor": PAPER},
        },
        barmode="group",
        bargap=0.25,
    )
    return {"data": data, "layout": layout} if data else None


def _trials(points: Cloud, texts: list[str], state: str, marker: dict[str, Any]) -> dict[str, Any]:
    chosen = np.flatnonzero(points.where(state))
    return {
        **_points(points.cost[chosen], points.score[chosen]),
        "name": f"{state} trial",
        "marker": marker,
        **_hover(points, texts, chosen),
    }


def _unscored(points: Cloud, texts: list[str]) -> dict[str, Any]:
    chosen = np.flatnonzero(points.unscored())
    return {
        **_points(points.cost[chosen], np.full(len(chosen), 0.018)),
        "yaxis": "y2",
        "name": "trial without a score",
        "marker": {"symbol": "line-ns", "size": 11, "line": {"width": 1.2, "color": ORANGE}, "opacity": 0.7},
        **_hover(points, texts, chosen),
    }


def _hover(points: Cloud, texts: list[str], chosen: NDArray[np.intp]) -> dict[str, Any]:
    return {
        "text": [texts[i] for i in chosen],
        "customdata": [f"trial {points.number[i]}" for i in chosen],
    }


def _front(points: Cloud, score: Axis) -> dict[str, Any]:
    chosen = derived.front(points, score)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "Pareto front",
        "x": _numbers(points.cost[chosen]),
        "y": _numbers(points.score[chosen]),
        "line": {"color": GREEN, "width": 2.5, "shape": "hv"},
        "hoverinfo": "skip",
    }


def _budget(record: RunRecord, cost: Axis) -> dict[str, Any]:
    bound = record.bounds.get(cost.metric.name)
    if bound is None:
        return {}
    return {
        "type": "scatter",
        "mode": "lines",
        "name": f"budget {quantity(bound, cost.metric)}",
        "x": [bound * cost.scale] * 2,
        "y": [0, 1],
        "yaxis": "y2",
        "line": {"color": VERMILION, "width": 2, "dash": "dash"},
        "hoverinfo": "skip",
    }


def _candidates(record: RunRecord, cost: Axis, score: Axis) -> list[dict[str, Any]]:
    places = [i for i in range(len(record.candidates)) if i != record.winner]
    others = _verified(record, cost, score, places, "verified candidate")
    others["marker"] = {"symbol": "diamond", "size": 11, "color": PAPER, "line": {"color": INK, "width": 2}}
    winner = _verified(record, cost, score, [] if record.winner is None else [record.winner], "winner")
    winner["marker"] = {
        "symbol": "star",
        "size": 18,
        "color": VERMILION,
        "line": {"color": INK, "width": 1.5},
    }
    return [others, winner]


def _verified(record: RunRecord, cost: Axis, score: Axis, places: list[int], name: str) -> dict[str, Any]:
    def value(i: int, drawn: Axis) -> float:
        return derived.known(record.candidates[i], drawn.metric.name) * drawn.scale

    places = [i for i in places if math.isfinite(value(i, cost)) and math.isfinite(value(i, score))]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [value(i, cost) for i in places],
        "y": [value(i, score) for i in places],
        "text": [_hover_text(record.candidates[i].architecture, 480) for i in places],
        "customdata": [f"candidate {i + 1}" for i in places],
    }


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
        "x": _numbers(100 * values),
        "y": rows,
        "marker": {"color": colour},
        "text": names,
        "textposition": "none",
        "customdata": amounts,
        "hovertemplate": f"%{{text}}<br>%{{customdata}}<br>{name}: %{{x:.1f}} %<extra></extra>",
    }


def _hover_texts(record: RunRecord) -> list[str]:
    limit = min(480, max(40, _HOVER_CHARACTERS // max(1, len(record.trials))))
    return [_hover_text(trial.architecture, limit) for trial in record.trials]


def _hover_text(architecture: str, limit: int) -> str:
    return "<br>".join(escape(line) for line in wrapped(shorten(architecture, limit), 44))


def _points(x: NDArray[Any], y: NDArray[Any]) -> dict[str, Any]:
    kind = "scattergl" if len(x) > _WEBGL_FROM else "scatter"
    return {"type": kind, "mode": "markers", "x": _numbers(x), "y": _numbers(y)}


def _numbers(values: NDArray[Any]) -> list[float | None]:
    """Six digits, None for what JSON cannot say."""
    return [float(f"{v:.6g}") if math.isfinite(v) else None for v in values.tolist()]


def _at(drawn: Axis, letter: str) -> str:
    digits, unit = (".4~g", f" {drawn.unit}") if drawn.unit else (".4~s", "")
    return f"{_hover_literal(label(drawn.metric.name))} %{{{letter}:{digits}}}{_hover_literal(unit)}<br>"


def _hover_literal(text: str) -> str:
    """Text within a hover template: `%{` would start a value."""
    return escape(text).replace("%{", "% {")


def _axis(title: str, log: bool = False) -> dict[str, Any]:
    return {
        "title": {"text": escape(title), "standoff": 10},
        "type": "log" if log else "linear",
        "gridcolor": GRID,
        "linecolor": GREY,
        "ticks": "outside",
        "tickcolor": GREY,
        "zeroline": False,
        "automargin": True,
    }


def _layout(height: int, **more: Any) -> dict[str, Any]:
    return {
        "height": height,
        "autosize": True,
        "font": {"family": FONT, "size": 13, "color": INK},
        "paper_bgcolor": PAPER,
        "plot_bgcolor": PAPER,
        "margin": {"l": 64, "r": 40, "t": 12, "b": 52},
        "hovermode": "closest",
        "hoverlabel": {"align": "left", "bgcolor": PAPER, "font": {"color": INK, "size": 12}},
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": 1.02,
            "xanchor": "left",
            "yanchor": "bottom",
            "itemsizing": "constant",
        },
        "modebar": {"orientation": "v"},
        **more,
    }
