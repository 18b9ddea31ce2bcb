"""A comparison of strategies as one static picture."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from hwnas.files import write_whole
from hwnas.report.colours import GREY, GRID, INK, MUTED
from hwnas.report.comparison_lines import Line, limits, lines
from hwnas.report.comparison_text import headline, number, task
from hwnas.report.pictures import literal
from hwnas.report.text import shorten, wrapped
from hwnas.search.comparison import Entry, StrategyComparison

_SIZE, _DPI = (11.0, 6.8), 120
_PLACES = 200
_BACKGROUND = "#c9d0d6"


def write_png(comparison: StrategyComparison, path: Path | str) -> None:
    """Write the picture; a file of that name is replaced at once, never half.

    Raises:
        OSError: the folder is missing or cannot be written.
    """
    figure = Figure(figsize=_SIZE, dpi=_DPI, facecolor="white")
    figure.set_layout_engine("constrained")
    FigureCanvasAgg(figure)
    if math.isfinite(comparison.budget_s):
        left, right = figure.subplots(1, 2, sharey=True)
        _by_networks(left, comparison)
        _by_seconds(right, comparison)
    else:
        _by_networks(figure.subplots(), comparison)
    said = [line for text in (headline(comparison), task(comparison)) for line in wrapped(text, 140)]
    figure.suptitle(literal("\n".join(said)), fontsize=10.5, color=INK, x=0.01, ha="left")
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=_DPI)
    write_whole(Path(path), stream.getvalue())


def _by_networks(axes: Axes, comparison: StrategyComparison) -> None:
    queries = np.arange(1, comparison.queries + 1)
    for line in reversed(lines(comparison)):
        _draw(axes, line, queries, line.entry.quantile)
    axes.set_xscale("log")
    axes.set_xlim(1, max(2, comparison.queries))
    axes.set_xlabel("networks trained", color=INK)
    _dress(axes, comparison)
    optimum = f"optimum {number(comparison.optimum)}"
    axes.text(1, comparison.optimum, optimum, va="bottom", fontsize=9, color=MUTED)
    axes.set_ylabel(literal(f"best {comparison.objective.maximize} within the bounds"), color=INK)
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles[::-1], labels[::-1], loc="lower right", fontsize=9, frameon=False)


def _by_seconds(axes: Axes, comparison: StrategyComparison) -> None:
    seconds = np.linspace(0, comparison.budget_s, _PLACES)
    for line in reversed(lines(comparison)):
        _draw(axes, line, seconds, partial(_quantiles, line.entry, seconds))
    axes.set_xlim(0, comparison.budget_s)
    axes.set_xlabel("simulated seconds of training", color=INK)
    _dress(axes, comparison)


def _quantiles(entry: Entry, seconds: np.ndarray, share: float) -> np.ndarray:
    return np.array([entry.quantile_within(share, float(one)) for one in seconds])


def _draw(axes: Axes, line: Line, places: np.ndarray, quantile: Callable[[float], np.ndarray]) -> None:
    """A line at these places of the horizontal axis, and its quartiles where it has a colour."""
    median = quantile(0.5)
    style = "--" if line.entry.is_peer else "-"
    if line.colour is None:
        axes.plot(places, median, style, color=_BACKGROUND, lw=0.9)
        return
    low, high = quantile(0.25), quantile(0.75)
    label = literal(shorten(line.entry.label, 40))
    axes.plot(places, median, style, color=line.colour, lw=2, label=label)
    axes.fill_between(places, low, high, color=line.colour, alpha=0.12, lw=0)


def _dress(axes: Axes, comparison: StrategyComparison) -> None:
    axes.axhline(comparison.optimum, color=GREY, lw=1, ls=":")
    axes.set_ylim(*limits(comparison))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.grid(True, color=GRID, lw=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GREY)
