"""The probabilities of a differentiable search as one static picture: a panel for each group."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, PercentFormatter

from hwnas.differentiable.records import DifferentiableRecord
from hwnas.report.colours import GREY, INK, PAPER
from hwnas.report.differentiable_answer import Answer, chosen_labels, colours_of
from hwnas.report.differentiable_curves import shares, steps
from hwnas.report.pictures import literal, write_figure
from hwnas.report.text import shorten

_DPI = 110
_WIDTH, _HEIGHT = 2.35, 1.75
_SMALL, _TEXT = 8.5, 9.5
_NAME, _LABEL = 26, 20


def write_probabilities(record: DifferentiableRecord, answer: Answer | None, path: Path | str) -> None:
    """Write the picture: stacked shares over the epochs.

    Raises:
        OSError: the folder is missing or cannot be written.
    """
    columns = columns_for(len(record.groups))
    rows = math.ceil(len(record.groups) / columns)
    size = (_WIDTH * columns + 0.4, _HEIGHT * rows + 0.9)
    figure = Figure(figsize=size, dpi=_DPI, facecolor=PAPER)
    figure.set_layout_engine("constrained", h_pad=0.05, w_pad=0.05, rect=(0, 0, 1, 1))
    FigureCanvasAgg(figure)
    panels = list(figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).flat)
    colours, chosen = colours_of(record.groups), chosen_labels(record, answer)
    for panel, group in zip(panels, record.groups, strict=False):
        _panel(panel, record, group, chosen[group], colours)
    for panel in panels[len(record.groups) :]:
        panel.set_axis_off()
    for panel in panels[max(0, len(record.groups) - columns) : len(record.groups)]:
        panel.tick_params(labelbottom=True)
        panel.set_xlabel("epoch", fontsize=_SMALL, color=INK)
    _legend(figure, colours)
    write_figure(figure, path)


def columns_for(groups: int) -> int:
    """How many panels stand beside each other, at most 7: 3 of 6, 5 of 15, 7 of 28."""
    return min(7, max(1, math.ceil(math.sqrt(1.5 * groups))))


def _panel(
    panel: Axes,
    record: DifferentiableRecord,
    group: str,
    chosen: tuple[str, float],
    colours: dict[str, str],
) -> None:
    numbers = np.array([epoch.number for epoch in record.epochs])
    values = np.repeat(shares(record, group), 2, axis=1)
    panel.stackplot(
        steps(numbers), values, colors=[colours[one] for one in record.groups[group]], edgecolor=PAPER, lw=0.3
    )
    name, share = chosen
    said = f"{shorten(group, _NAME)}\n{shorten(name, _LABEL)}: {100 * share:.0f} %"
    panel.set_title(literal(said), fontsize=_TEXT, color=INK, loc="left", pad=4)
    panel.set_xlim(numbers[0] - 0.5, numbers[-1] + 0.5)
    panel.set_ylim(0, 1)
    panel.xaxis.set_major_locator(MaxNLocator(4, integer=True, min_n_ticks=1))
    panel.yaxis.set_major_locator(MaxNLocator(2))
    panel.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    panel.tick_params(labelsize=_SMALL, colors=INK)
    for spine in panel.spines.values():
        spine.set_color(GREY)


def _legend(figure: Figure, colours: dict[str, str]) -> None:
    handles = [Patch(color=colour, label=literal(shorten(name, _LABEL))) for name, colour in colours.items()]
    columns = max(1, int(figure.get_size_inches()[0] // 1.35))
    figure.legend(
        handles=handles, loc="outside lower center", ncols=columns, fontsize=_TEXT, frameon=False,
        labelcolor=INK, handlelength=1.2,
    )  # fmt: skip
