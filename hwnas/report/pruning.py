"""A search by pruning in its folder: a page and pictures for people."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from hwnas.differentiable.pruning.record import PruningRecord, load_pruning
from hwnas.report.architecture_drawing import drawings
from hwnas.report.colours import BLUE, GREY, INK, PAPER
from hwnas.report.differentiable_answer import answer_of
from hwnas.report.differentiable_probabilities_png import columns_for
from hwnas.report.drawing_png import write_drawings
from hwnas.report.folder import write_files
from hwnas.report.pictures import dress, literal, write_figure
from hwnas.report.pruning_html import write_html
from hwnas.report.text import shorten
from hwnas.search.derived import read_derived
from hwnas.spaces import SearchSpace

_DPI = 110
_WIDTH, _LINE, _MARGIN = 2.6, 0.19, 0.75
_SMALL, _TEXT = 8.5, 9.5
_NAME, _LABEL = 26, 16


def write_pruning(folder: Path | str, space: SearchSpace | None = None) -> tuple[Path, ...]:
    """Write the report of the search in `folder`, finished or interrupted, into it.

    `report.html` and `remaining.png`, what remains after each round; of a search that ended also
    `architecture.png` where the space is one of hwnas's own or given.

    Args:
        folder: of the search.
        space: that of the search.

    Returns:
        Their paths, in that order.

    Raises:
        ValueError: the folder holds no search by pruning, one without rounds, a damaged one, or one of
            another space.
        OSError: the folder cannot be written.
    """
    place = Path(folder)
    record = load_pruning(place)
    if len(record.rounds) < 2:
        raise ValueError(f"{folder}: no round of its search has ended yet, so there is nothing to report")
    verified = read_derived(place)
    if verified is not None and verified.architecture != record.architecture:
        verified = None
    answer = answer_of(record, space) if record.architecture else None
    files: dict[str, Callable[[Path], object]] = {
        "report.html": partial(write_html, record, answer, verified),
        "remaining.png": lambda path: write_figure(_figure(record), path),
    }
    if answer is not None:
        files["architecture.png"] = partial(write_drawings, drawings(answer))
    return write_files(place, files)


def lasted(record: PruningRecord, group: str) -> list[int]:
    """The round in which each choice of a group went, by its labels' order; 0 where it never was there.

    What remains gets the round after the last.
    """
    return [
        sum(choice in one.remaining[group] for one in record.rounds)
        for choice in range(len(record.groups[group]))
    ]


def _figure(record: PruningRecord) -> Figure:
    columns = columns_for(len(record.groups))
    rows = math.ceil(len(record.groups) / columns)
    tallest = max(map(len, record.groups.values()))
    figure = Figure((_WIDTH * columns, (_LINE * tallest + _MARGIN) * rows), dpi=_DPI, facecolor=PAPER)
    figure.set_layout_engine("constrained", h_pad=0.1, w_pad=0.1)
    FigureCanvasAgg(figure)
    panels = list(figure.subplots(rows, columns, squeeze=False, sharex=True).flat)
    for panel, group in zip(panels, record.groups, strict=False):
        _panel(panel, record, group)
    for panel in panels[len(record.groups) :]:
        panel.set_axis_off()
    figure.supxlabel("the round in which a choice was removed; blue: remains", fontsize=_TEXT, color=INK)
    return figure


def _panel(panel: Axes, record: PruningRecord, group: str) -> None:
    labels = [literal(shorten(label, _LABEL)) for label in record.groups[group]]
    left = record.rounds[-1].remaining[group]
    colours = [BLUE if choice in left else GREY for choice in range(len(labels))]
    panel.barh(range(len(labels)), lasted(record, group), color=colours)
    panel.set_yticks(range(len(labels)), labels)
    panel.invert_yaxis()
    panel.set_xlim(0, len(record.rounds))
    panel.xaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))
    panel.set_title(literal(shorten(group, _NAME)), fontsize=_TEXT, color=INK, loc="left")
    dress(panel, _SMALL)
