"""The plot of all trials: score against cost."""

from __future__ import annotations

import math
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwnas.report import derived
from hwnas.report.colours import BLUE, GREEN, INK, ORANGE, PAPER, VERMILION
from hwnas.report.derived import FEASIBLE, INFEASIBLE, Axis, Cloud
from hwnas.report.plotting import Figure, axis_style, hover_value, layout_of, markers, numbers
from hwnas.report.text import quantity, shorten, wrapped
from hwnas.search.records import RunRecord

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
    values = hover_value(cost, "x") + hover_value(score, "y")
    for trace in data:
        if trace.get("text"):
            trace["hovertemplate"] = f"<b>%{{customdata}}</b><br>{values}%{{text}}<extra></extra>"
    layout = layout_of(
        460,
        xaxis=axis_style(cost.title, derived.wants_log(points.cost)),
        yaxis=axis_style(score.title, derived.wants_log(points.score)),
        yaxis2={"overlaying": "y", "range": [0, 1], "visible": False, "fixedrange": True},
    )
    return {"data": [trace for trace in data if len(trace.get("x", ()))], "layout": layout}


def _trials(points: Cloud, texts: list[str], state: str, marker: dict[str, Any]) -> dict[str, Any]:
    chosen = np.flatnonzero(points.where(state))
    return {
        **markers(points.cost[chosen], points.score[chosen]),
        "name": f"{state} trial",
        "marker": marker,
        **_hover(points, texts, chosen),
    }


def _unscored(points: Cloud, texts: list[str]) -> dict[str, Any]:
    chosen = np.flatnonzero(points.unscored())
    return {
        **markers(points.cost[chosen], np.full(len(chosen), 0.018)),
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
    chosen = derived.front(points)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "Pareto front",
        "x": numbers(points.cost[chosen]),
        "y": numbers(points.score[chosen]),
        "line": {"color": GREEN, "width": 2.5, "shape": "hv"},
        "hoverinfo": "skip",
    }


def _budget(record: RunRecord, cost: Axis) -> dict[str, Any]:
    bound = record.bounds.get(cost.metric.name)
    if bound is None or math.isnan(cost.drawn(bound)):
        return {}
    return {
        "type": "scatter",
        "mode": "lines",
        "name": f"budget {quantity(bound, cost.metric)}",
        "x": [cost.drawn(bound)] * 2,
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
        return drawn.drawn(derived.known(record.candidates[i], drawn.metric.name))

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


def _hover_texts(record: RunRecord) -> list[str]:
    limit = min(480, max(40, _HOVER_CHARACTERS // max(1, len(record.trials))))
    return [_hover_text(trial.architecture, limit) for trial in record.trials]


def _hover_text(architecture: str, limit: int) -> str:
    return "<br>".join(escape(line) for line in wrapped(shorten(architecture, limit), 44))
