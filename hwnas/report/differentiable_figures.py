"""The plots of a differentiable search's page, as plotly's JSON: `data` and `layout` each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwnas.differentiable.records import DifferentiableRecord
from hwnas.report.colours import BLUE, GREEN, GREY, INK, MUTED, ORANGE, VERMILION
from hwnas.report.differentiable_answer import Answer, chosen_labels, colours_of
from hwnas.report.differentiable_curves import CostCurve, Pair, numbers_of, shares, steps
from hwnas.report.plotting import Figure, axis_style, layout_of, numbers
from hwnas.report.text import shorten

_PANEL, _LEGEND, _BELOW = 150, 90, 60
_COLUMNS = 4
_NAME = 22


def cost(epochs: NDArray[np.intp], curve: CostCurve) -> Figure:
    """The expected and the derived cost, with the target."""
    unit = f" {curve.unit}" if curve.unit else ""
    data = [
        _line("derived architecture", epochs, curve.derived, ORANGE, unit, mode="lines+markers", width=1.2),
        _line("expected", epochs, curve.expected, BLUE, unit, width=2.6),
    ]
    if curve.target is not None:
        target = np.full(len(epochs), curve.target)
        name = f"target {curve.target:.4g}{unit}"
        data.append(_line(name, epochs, target, VERMILION, unit, dash="dash", width=2))
    return {"data": data, "layout": _layout(epochs, curve.title)}


def pair(epochs: NDArray[np.intp], found: Pair, title: str, unit: str) -> Figure:
    """What training and validation had."""
    data = [
        _line("train", epochs, found.train, BLUE, unit, mode="lines+markers"),
        _line("validation", epochs, found.validation, GREEN, unit, mode="lines+markers", dash="dash"),
    ]
    known = [trace for trace in data if any(value is not None for value in trace["y"])]
    return {"data": known, "layout": _layout(epochs, title)}


def skips(epochs: NDArray[np.intp], found: Sequence[int]) -> Figure:
    """Steps with a point for each epoch."""
    steps_of_epochs = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": epochs.tolist(),
        "y": list(found),
        "line": {"color": MUTED, "width": 2, "shape": "hvh"},
        "cliponaxis": False,
        "hovertemplate": "epoch %{x}<br>%{y} skips<extra></extra>",
    }
    layout = _layout(epochs, "skips")
    layout["yaxis"] |= {"range": [0, 1.15 * max(1, *found)], "dtick": max(1, math.ceil(max(found) / 5))}
    return {"data": [steps_of_epochs], "layout": layout}


def probabilities(record: DifferentiableRecord, answer: Answer | None) -> Figure:
    """Stacked shares over the epochs, a panel for each group."""
    colours, chosen = colours_of(record.groups), chosen_labels(record, answer)
    columns = min(_COLUMNS, len(record.groups))
    rows = math.ceil(len(record.groups) / columns)
    height = _PANEL * rows + _LEGEND + _BELOW
    data: list[dict[str, Any]] = []
    axes: dict[str, Any] = {}
    notes: list[dict[str, Any]] = []
    seen: set[str] = set()
    for i, (group, labels) in enumerate(record.groups.items()):
        row, column = divmod(i, columns)
        number = "" if i == 0 else str(i + 1)
        across, down = _domain(column, columns, 0.03), _domain(rows - 1 - row, rows, 44 / (_PANEL * rows))
        is_last = i + columns >= len(record.groups)
        axes |= _axes(number, across, down, column == 0, is_last, numbers_of(record))
        name, share = chosen[group]
        notes.append(_title(across[0], down[1], group, f"{shorten(name, _NAME)}: {100 * share:.0f} %"))
        data += [
            _area(record, group, choice, label, colours[label], number, is_first=label not in seen)
            for choice, label in enumerate(labels)
        ]
        seen.update(labels)
    layout = layout_of(
        height,
        **axes,
        annotations=notes,
        margin={"l": 52, "r": 8, "t": _LEGEND, "b": _BELOW},
        legend={"orientation": "h", "x": 0, "y": 1 + 44 / (height - _LEGEND - _BELOW), "yanchor": "bottom",
                "traceorder": "normal"},
    )  # fmt: skip
    return {"data": data, "layout": layout}


def _line(
    name: str,
    epochs: NDArray[np.intp],
    values: NDArray[np.float64],
    colour: str,
    unit: str,
    mode: str = "lines",
    dash: str = "solid",
    width: float = 2.0,
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": mode,
        "name": name,
        "x": epochs.tolist(),
        "y": numbers(values),
        "line": {"color": colour, "width": width, "dash": dash},
        "marker": {"size": 5},
        "hovertemplate": f"epoch %{{x}}<br>{name} %{{y:.4~g}}{unit}<extra></extra>",
    }


def _layout(epochs: NDArray[np.intp], title: str) -> dict[str, Any]:
    ends = [int(epochs[0]) - 0.5, int(epochs[-1]) + 0.5]
    return layout_of(
        320,
        xaxis={**axis_style("epoch"), "range": ends, **_whole(len(epochs))},
        yaxis={**axis_style(title), "rangemode": "tozero"},
    )


def _whole(epochs: int) -> dict[str, Any]:
    return {"tick0": 0, "dtick": 1} if epochs <= 10 else {"nticks": 10}


def _domain(position: int, count: int, gap: float) -> list[float]:
    size = (1 - gap * (count - 1)) / count
    return [position * (size + gap), position * (size + gap) + size]


def _axes(
    number: str,
    across: list[float],
    down: list[float],
    is_first: bool,
    is_last: bool,
    epochs: NDArray[np.intp],
) -> dict[str, Any]:
    """The two axes of a panel; only panels at the left and at the bottom have numbers."""
    plain = {"linecolor": GREY, "zeroline": False, "fixedrange": True, "showgrid": False}
    ticks = {"dtick": 1} if len(epochs) <= 4 else {"nticks": 5}
    title = {"title": {"text": "epoch", "standoff": 4}} if is_last else {}
    ends = [int(epochs[0]) - 0.5, int(epochs[-1]) + 0.5]
    return {
        f"xaxis{number}": {
            **plain,
            **ticks,
            **title,
            **{"domain": across, "anchor": f"y{number}", "range": ends, "showticklabels": is_last},
        },
        f"yaxis{number}": {
            **plain,
            **{"domain": down, "anchor": f"x{number}", "range": [0, 1], "tickvals": [0, 0.5, 1]},
            **{"tickformat": ".0%", "showticklabels": is_first},
        },
    }


def _title(x: float, y: float, group: str, said: str) -> dict[str, Any]:
    return {
        "text": f"<b>{escape(shorten(group, _NAME))}</b><br>{escape(said)}",
        "x": x,
        "y": y,
        "xref": "paper",
        "yref": "paper",
        "xanchor": "left",
        "yanchor": "bottom",
        "align": "left",
        "showarrow": False,
        "font": {"size": 11.5, "color": INK},
    }


def _area(
    record: DifferentiableRecord,
    group: str,
    choice: int,
    label: str,
    colour: str,
    number: str,
    is_first: bool,
) -> dict[str, Any]:
    name = escape(shorten(label, _NAME)).replace("%{", "% {")
    values = np.repeat(shares(record, group)[choice], 2)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "legendgroup": name,
        "showlegend": is_first,
        "stackgroup": f"group{number}",
        "x": steps(numbers_of(record)).tolist(),
        "y": numbers(values),
        "xaxis": f"x{number}",
        "yaxis": f"y{number}",
        "line": {"width": 0.4, "color": "#ffffff"},
        "fillcolor": colour,
        "hovertemplate": f"{name} %{{y:.1%}}<extra></extra>",
    }
