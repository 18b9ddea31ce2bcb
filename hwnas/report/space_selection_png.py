"""The CDFs of a selection as one static picture, as figure 3 of the MCUNet paper."""

from __future__ import annotations

import io
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from hwnas.files import write_whole
from hwnas.report.colours import GREY, GRID, INK, MUTED, PAPER
from hwnas.report.pictures import literal
from hwnas.report.space_selection_curves import P80, curves
from hwnas.report.space_selection_text import headline
from hwnas.report.text import count, wrapped
from hwnas.tinynas import Selection

DPI, SIZE = 150, (9.0, 5.6)
_BACKGROUND = "#c9d0d6"


def write_png(selection: Selection, path: Path | str) -> None:
    """Write the picture; a file of that name is replaced at once, never half.

    Raises:
        OSError: the folder is missing or cannot be written.
    """
    figure = Figure(figsize=SIZE, dpi=DPI, facecolor=PAPER)
    figure.set_layout_engine("constrained", h_pad=0.1, w_pad=0.1)
    FigureCanvasAgg(figure)
    place = figure.subplots()
    _draw(place, selection)
    title = "\n".join(line.strip() for line in wrapped(headline(selection), 84))
    place.set_title(literal(title), fontsize=11.5, color=INK, loc="left", pad=12)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=DPI)
    write_whole(Path(path), stream.getvalue())


def _draw(place: Axes, selection: Selection) -> None:
    drawn = curves(selection)
    handles, labels = [], []
    for rank, one in enumerate(drawn):
        macs = one.macs / 1e6
        if one.colour is None:
            place.plot(macs, one.fraction, color=_BACKGROUND, lw=0.7, zorder=2)
            continue
        style = "--" if one.space.is_flagged else "-"
        handles += place.plot(macs, one.fraction, style, color=one.colour, lw=2.2, zorder=4 - rank / 10)
        labels.append(literal(one.label))
        place.plot(one.space.p80_macs / 1e6, P80, "o", color=one.colour, mec=PAPER, ms=7, zorder=5)
    place.axhline(P80, color=GREY, lw=1, ls=(0, (4, 3)), zorder=3)
    best = selection.best
    note = f"80 % of {best.name} within {count(best.p80_macs)}"
    place.annotate(
        literal(note), (0.01, P80), (0, 4), xycoords=("axes fraction", "data"), textcoords="offset points",
        fontsize=9, color=INK, zorder=6, bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1.5},
    )  # fmt: skip
    if len(drawn) > len(labels):
        handles += place.plot([], [], color=_BACKGROUND, lw=1.5)
        labels.append(f"{len(drawn) - len(labels)} others")
    place.legend(
        handles, labels, loc="upper left", bbox_to_anchor=(0, -0.13), ncols=2, frameon=False,
        fontsize=9.5, labelcolor=INK, borderaxespad=0, handlelength=1.6,
    )  # fmt: skip
    _dress(place)


def _dress(place: Axes) -> None:
    place.set_xlabel("MACs of the satisfying networks (millions)", fontsize=10, color=INK)
    place.set_ylabel("networks with at most so many", fontsize=10, color=INK)
    place.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    place.set_ylim(0, 1)
    place.set_xlim(left=0)
    place.tick_params(labelsize=9, colors=INK)
    place.grid(True, color=GRID, lw=0.8)
    place.set_axisbelow(True)
    place.spines[["top", "right"]].set_visible(False)
    place.spines[["left", "bottom"]].set_color(MUTED)
