"""Every proxy's scores against the truth as one plot of many panels: `data` and `layout` of plotly's JSON."""

from __future__ import annotations

import math
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwnas.proxies.correlation import Comparison, Judged
from hwnas.report.colours import BLUE, INK, MUTED, ORANGE
from hwnas.report.correlation_panels import SHADES, Panel, colour_limits, colour_values, panel
from hwnas.report.plotting import Figure, axis_style, layout_of, markers, numbers
from hwnas.report.text import count, shorten, wrapped

MOST_POINTS = 60_000
_MOST_COLUMNS = 3
_ROW, _TOP, _BOTTOM = 310, 60, 60
_GAP_BETWEEN, _GAP_ABOVE = 0.085, 92
_HOVER_CHARACTERS = 4_000_000


def drawn(comparison: Comparison) -> NDArray[np.intp]:
    """Positions of the architectures that the page draws: all, or as many drawn at random as it can hold."""
    n, most = len(comparison.truth), max(500, MOST_POINTS // len(comparison.judged))
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng(0).choice(n, size=most, replace=False))


def panels(comparison: Comparison) -> Figure:
    """A panel for each proxy, three to a row, with one scale of colours."""
    shown = drawn(comparison)
    texts = _texts(comparison, shown)
    columns = min(_MOST_COLUMNS, len(comparison.judged))
    rows = math.ceil(len(comparison.judged) / columns)
    height = rows * _ROW + _TOP + _BOTTOM
    layout = layout_of(height, showlegend=False, annotations=[], margin={"l": 64, "r": 20, "t": 60, "b": 60})
    colours = colour_values(comparison.size)
    if colours is not None:
        layout["coloraxis"] = _colour_axis(colours)
    data: list[dict[str, Any]] = []
    for index, judged in enumerate(comparison.judged):
        one = panel(comparison, judged, shown)
        names = ("x", "y") if index == 0 else (f"x{index + 1}", f"y{index + 1}")
        across, down = _place(index, columns, rows, height)
        below = index + columns >= len(comparison.judged)
        truth = _small(axis_style(comparison.truth_name if below else ""))
        layout[names[0].replace("x", "xaxis")] = {**truth, "domain": across, "anchor": names[1]}
        layout[names[1].replace("y", "yaxis")] = {**_score_axis(one), "domain": down, "anchor": names[0]}
        layout["annotations"].append(_title(one, across, down))
        data += _traces(comparison, judged, one, names, colours, texts)
    return {"data": [trace for trace in data if len(trace["x"])], "layout": layout}


def _place(index: int, columns: int, rows: int, height: int) -> tuple[list[float], list[float]]:
    """The parts of the plot's width and height that a panel takes."""
    wide = (1 - _GAP_BETWEEN * (columns - 1)) / columns
    left = (index % columns) * (wide + _GAP_BETWEEN)
    inner = height - _TOP - _BOTTOM
    gap = _GAP_ABOVE / inner
    tall = (1 - gap * (rows - 1)) / rows
    bottom = (rows - 1 - index // columns) * (tall + gap)
    return [left, min(1.0, left + wide)], [bottom, min(1.0, bottom + tall)]


def _traces(
    comparison: Comparison,
    judged: Judged,
    one: Panel,
    axes: tuple[str, str],
    colours: NDArray[np.float64] | None,
    texts: dict[int, str],
) -> list[dict[str, Any]]:
    on = {"xaxis": axes[0], "yaxis": axes[1], "showlegend": False}
    name = escape(judged.name).replace("%{", "% {")
    scores, truth = judged.scores[one.scored], comparison.truth
    dot: dict[str, Any] = {"size": 4, "opacity": 0.75, "color": BLUE}
    if colours is not None:
        dot |= {"color": numbers(colours[one.scored]), "coloraxis": "coloraxis"}
    value = f"%{{customdata:.4~g}}<br>{escape(comparison.truth_name).replace('%{', '% {')} %{{x:.4~g}}"
    scored = {
        **markers(truth[one.scored], one.axis.inside(scores)),
        **on,
        "name": name,
        "marker": dot,
        "customdata": numbers(scores),
        "text": [texts[i] for i in one.scored.tolist()],
        "hovertemplate": f"<b>{name}</b> {value}<br>%{{text}}<extra></extra>",
    }
    rug = {
        **markers(truth[one.undefined], np.full(len(one.undefined), one.axis.at(0.03))),
        **on,
        "name": f"{name}: undefined",
        "marker": {"symbol": "line-ns", "size": 9, "opacity": 0.5, "line": {"width": 1, "color": ORANGE}},
        "text": [texts[i] for i in one.undefined.tolist()],
        "hovertemplate": f"<b>{name}</b> undefined<br>%{{text}}<extra></extra>",
    }
    return [scored, rug]


def _title(one: Panel, across: list[float], down: list[float]) -> dict[str, Any]:
    said = "<br>".join(escape(line) for line in one.lines)
    return {
        "text": f"<b>{escape(shorten(one.name, 36))}</b><br><span style='color:{MUTED}'>{said}</span>",
        "x": sum(across) / 2,
        "y": down[1],
        "xref": "paper",
        "yref": "paper",
        "xanchor": "center",
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"size": 12, "color": INK},
    }


def _score_axis(one: Panel) -> dict[str, Any]:
    style = {**_small(axis_style(one.unit, one.axis.log)), "exponentformat": "power", "nticks": 5}
    ends = [one.axis.low, one.axis.high]
    if one.axis.log:
        ends = [math.log10(end) for end in ends]
        style["dtick"] = math.ceil((ends[1] - ends[0]) / 5)
    return {**style, "range": ends}


def _small(style: dict[str, Any]) -> dict[str, Any]:
    title = {**style["title"], "standoff": 4, "font": {"size": 12}}
    return {**style, "title": title, "tickfont": {"size": 11}}


def _colour_axis(colours: NDArray[np.float64]) -> dict[str, Any]:
    low, high = colour_limits(colours)
    ticks = np.linspace(low, high, 5)
    shades = [[place, shade] for place, shade in zip(np.linspace(0, 1, len(SHADES)), SHADES, strict=True)]
    bar = {
        "title": {"text": "parameters", "side": "right"},
        "tickvals": ticks.tolist(),
        "ticktext": [count(10**tick) for tick in ticks.tolist()],
        "thickness": 12,
        "len": 320,
        "lenmode": "pixels",
        "y": 1,
        "yanchor": "top",
        "outlinewidth": 0,
    }
    return {"cmin": low, "cmax": high, "colorscale": shades, "colorbar": bar}


def _texts(comparison: Comparison, shown: NDArray[np.intp]) -> dict[int, str]:
    """What a reader sees of an architecture when pointing at it, by its position."""
    limit = _HOVER_CHARACTERS // (len(shown) * len(comparison.judged))
    limit = min(480, max(40, limit))
    return {
        i: "<br>".join(escape(line) for line in wrapped(shorten(comparison.architectures[i], limit), 44))
        for i in shown.tolist()
    }
