"""What the page's plots share, as parts of plotly's JSON.

Texts from the record are escaped, since plotly reads some HTML in them.
"""

from __future__ import annotations

import math
from html import escape
from typing import Any

from numpy.typing import NDArray

from hwnas.report.colours import GREY, GRID, INK, PAPER
from hwnas.report.derived import Axis
from hwnas.report.text import label

Figure = dict[str, Any]
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_WEBGL_FROM = 1500


def markers(x: NDArray[Any], y: NDArray[Any]) -> dict[str, Any]:
    """Points at x (n,), y (n,); drawn with WebGL where there are many."""
    kind = "scattergl" if len(x) > _WEBGL_FROM else "scatter"
    return {"type": kind, "mode": "markers", "x": numbers(x), "y": numbers(y)}


def numbers(values: NDArray[Any]) -> list[float | None]:
    """Six digits, None for what JSON cannot say."""
    return [float(f"{v:.6g}") if math.isfinite(v) else None for v in values.tolist()]


def hover_value(drawn: Axis, letter: str) -> str:
    """A line of a hover template: name, value and unit of what is drawn along `letter`."""
    digits, unit = (".4~g", f" {drawn.unit}") if drawn.unit else (".4~s", "")
    return f"{_literal(label(drawn.metric.name))} %{{{letter}:{digits}}}{_literal(unit)}<br>"


def _literal(text: str) -> str:
    """Text within a hover template: `%{` would start a value."""
    return escape(text).replace("%{", "% {")


def axis_style(title: str, log: bool = False) -> dict[str, Any]:
    """An axis with a title."""
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


def layout_of(height: int, **more: Any) -> dict[str, Any]:
    """The layout of a plot, `height` pixels high, with `more` of plotly's settings."""
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
