"""Every proxy's scores against the truth as one static picture."""

from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator
from numpy.typing import NDArray

from hwnas.files import write_whole
from hwnas.proxies.correlation import Comparison
from hwnas.report.colours import BLUE, GREY, GRID, INK, MUTED, ORANGE
from hwnas.report.correlation_headline import headline, legend
from hwnas.report.correlation_panels import SHADES, Panel, colour_limits, colour_values, panel
from hwnas.report.pictures import literal
from hwnas.report.text import count, shorten

DPI = 100
MOST_COLUMNS = 6
_PANEL, _HEAD, _BAR = (3.4, 2.9), 1.0, 1.1
_SMALL, _TEXT = 9, 10
_LARGE = 1e4


def write_png(comparison: Comparison, path: Path | str) -> None:
    """Write the picture, a panel for each proxy; a file of that name is replaced at once, never half.

    Raises:
        OSError: the folder is missing or cannot be written.
    """
    columns = _columns(len(comparison.judged))
    rows = math.ceil(len(comparison.judged) / columns)
    colours = colour_values(comparison.size)
    wide = max(columns * _PANEL[0], 9.0) + (_BAR if colours is not None else 0)
    figure = Figure(figsize=(wide, rows * _PANEL[1] + _HEAD), dpi=DPI, facecolor="white")
    figure.set_layout_engine("constrained", h_pad=0.08, w_pad=0.08, hspace=0.02, wspace=0.02)
    FigureCanvasAgg(figure)
    _heading(figure, comparison)
    axes = np.asarray(figure.subplots(rows, columns, squeeze=False, sharex=True)).ravel()
    scale = _scale(colours)
    for place, judged in zip(axes, comparison.judged, strict=False):
        _draw(place, panel(comparison, judged), comparison, judged.scores, colours, scale)
    for place in axes[len(comparison.judged) :]:
        place.set_visible(False)
    for place in axes[max(0, len(comparison.judged) - columns) : len(comparison.judged)]:
        place.set_xlabel(literal(shorten(comparison.truth_name, 30)), fontsize=_TEXT, color=INK)
        place.tick_params(labelbottom=True)
    if scale is not None:
        _colour_bar(figure, list(axes), scale)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=DPI)
    write_whole(Path(path), stream.getvalue())


def _columns(panels: int) -> int:
    return min(MOST_COLUMNS, math.ceil(math.sqrt(panels * 1.3)))


def _heading(figure: Figure, comparison: Comparison) -> None:
    said = f"{headline(comparison)}\n{legend(comparison)}"
    figure.suptitle(literal(said), fontsize=_TEXT + 1, color=INK, x=0.01, ha="left")


def _draw(
    place: Axes,
    shown: Panel,
    comparison: Comparison,
    scores: NDArray[np.float64],
    colours: NDArray[np.float64] | None,
    scale: ScalarMappable | None,
) -> None:
    _dress(place, shown)
    truth = comparison.truth
    if len(shown.scored):
        place.scatter(
            truth[shown.scored],
            shown.axis.inside(scores[shown.scored]),
            s=_area(len(truth)),
            lw=0,
            alpha=0.8,
            c=BLUE if colours is None or scale is None else scale.to_rgba(colours[shown.scored]),
        )
    else:
        place.text(0.5, 0.5, "no score is defined", transform=place.transAxes, ha="center", color=MUTED)
    if len(shown.undefined):
        place.plot(
            truth[shown.undefined],
            np.full(len(shown.undefined), 0.03),
            "|",
            color=ORANGE,
            ms=8,
            mew=0.6,
            alpha=0.4,
            transform=place.get_xaxis_transform(),
        )


def _dress(place: Axes, shown: Panel) -> None:
    name, pad = literal(shorten(shown.name, 34)), 6 + 12 * len(shown.lines)
    place.set_title(name, fontsize=_TEXT + 1, color=INK, weight="bold", pad=pad)
    place.text(
        0.5,
        1.02,
        "\n".join(shown.lines),
        transform=place.transAxes,
        ha="center",
        va="bottom",
        fontsize=_SMALL,
        color=MUTED,
    )
    place.set_ylabel(shown.unit, fontsize=_SMALL, color=MUTED)
    if shown.axis.log:
        place.set_yscale("log")
        place.yaxis.set_major_locator(LogLocator(numticks=5))
        place.yaxis.set_minor_locator(NullLocator())
        place.yaxis.set_minor_formatter(NullFormatter())
    else:
        place.yaxis.set_major_locator(MaxNLocator(5))
        if max(-shown.axis.low, shown.axis.high) >= _LARGE:
            place.yaxis.set_major_formatter(EngFormatter(sep=""))
    place.set_ylim(shown.axis.low, shown.axis.high)
    place.xaxis.set_major_locator(MaxNLocator(5))
    place.tick_params(labelsize=_SMALL, colors=INK)
    place.yaxis.get_offset_text().set_fontsize(_SMALL)
    place.grid(True, color=GRID, lw=0.8)
    place.set_axisbelow(True)
    place.spines[["top", "right"]].set_visible(False)
    place.spines[["left", "bottom"]].set_color(GREY)


def _area(points: int) -> float:
    """Smaller dots where there are many."""
    return float(np.clip(4000 / max(points, 1), 3, 22))


def _scale(colours: NDArray[np.float64] | None) -> ScalarMappable | None:
    if colours is None:
        return None
    return ScalarMappable(
        Normalize(*colour_limits(colours), clip=True), LinearSegmentedColormap.from_list("parameters", SHADES)
    )


def _colour_bar(figure: Figure, axes: list[Axes], scale: ScalarMappable) -> None:
    bar = figure.colorbar(scale, ax=axes, aspect=12 + 12 * len(axes) // MOST_COLUMNS, pad=0.01, fraction=0.05)
    bar.set_label("parameters", fontsize=_TEXT, color=INK)
    bar.ax.yaxis.set_major_locator(MaxNLocator(6))
    bar.ax.yaxis.set_major_formatter(lambda value, _: count(10**value))
    bar.ax.tick_params(labelsize=_SMALL, colors=INK)
    bar.outline.set_visible(False)
