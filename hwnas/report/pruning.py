"""A search by pruning in its folder: a picture of what remains after each round, and of the answer."""

from __future__ import annotations

import math
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from hwnas.differentiable.pruning.record import PruningRecord, load_pruning
from hwnas.report.colours import BLUE, GREY, INK, PAPER
from hwnas.report.differentiable_probabilities_png import columns_for
from hwnas.report.folder import write_files
from hwnas.report.pictures import dress, literal, write_figure
from hwnas.report.text import shorten

_DPI = 110
_WIDTH, _LINE, _MARGIN = 2.6, 0.19, 0.75
_SMALL, _TEXT = 8.5, 9.5
_NAME, _LABEL = 26, 16


def write_pruning(folder: Path | str) -> tuple[Path, ...]:
    """Write `remaining.png`, what remains after each round of the search in `folder`, into it.

    Returns:
        Its path.

    Raises:
        ValueError: the folder holds no search by pruning, one without rounds, or a damaged one.
        OSError: the folder cannot be written.
    """
    record = load_pruning(folder)
    if not record.rounds:
        raise ValueError(f"{folder}: no round of its search has ended yet, so there is nothing to report")
    return write_files(folder, {"remaining.png": lambda path: write_figure(_figure(record), path)})


def lasted(record: PruningRecord, group: str) -> list[int]:
    """In how many rounds each choice of a group remained, in the order of its labels."""
    return [
        sum(choice in one.remaining[group] for one in record.rounds)
        for choice in range(len(record.groups[group]))
    ]


def _figure(record: PruningRecord) -> Figure:
    columns = columns_for(len(record.groups))
    rows = math.ceil(len(record.groups) / columns)
    tallest = max(map(len, record.groups.values()))
    figure = Figure((_WIDTH * columns, (_LINE * tallest + _MARGIN) * rows), dpi=_DPI, facecolor=PAPER)
    figure.set_layout_engine("constrained")
    FigureCanvasAgg(figure)
    panels = list(figure.subplots(rows, columns, squeeze=False, sharex=True).flat)
    for panel, group in zip(panels, record.groups, strict=False):
        _panel(panel, record, group)
    for panel in panels[len(record.groups) :]:
        panel.set_axis_off()
    figure.supxlabel("rounds that a choice remained in; blue: remains", fontsize=_TEXT, color=INK)
    return figure


def _panel(panel: Axes, record: PruningRecord, group: str) -> None:
    labels = [literal(shorten(label, _LABEL)) for label in record.groups[group]]
    left = record.rounds[-1].remaining[group]
    colours = [BLUE if choice in left else GREY for choice in range(len(labels))]
    panel.barh(range(len(labels)), lasted(record, group), color=colours)
    panel.set_yticks(range(len(labels)), labels)
    panel.invert_yaxis()
    panel.set_xlim(0, len(record.rounds))
    panel.xaxis.set_major_locator(MaxNLocator(4, integer=True, min_n_ticks=1))
    panel.set_title(literal(shorten(group, _NAME)), fontsize=_TEXT, color=INK, loc="left")
    dress(panel, _SMALL)
