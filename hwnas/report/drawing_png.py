"""Drawings, one below the other, as one static picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Patch
from matplotlib.path import Path as Curve

from hwnas.report.colours import INK, PAPER
from hwnas.report.drawing import Box, Drawing, Wire
from hwnas.report.pictures import literal, write_figure

DPI = 150
_PIXELS_PER_INCH = 100
_POINTS = 72 / _PIXELS_PER_INCH
_LINE, _TEXT, _TITLE = 17, 13, 17
_TITLE_HEIGHT = 44


def write_drawings(drawings: Sequence[Drawing], path: Path | str) -> None:
    """Write the picture; a file of that name is replaced at once, never half.

    Raises:
        OSError: the folder is missing or cannot be written.
    """
    width = max(drawing.width for drawing in drawings)
    height = sum(drawing.height + _TITLE_HEIGHT for drawing in drawings)
    figure = Figure(figsize=(width / _PIXELS_PER_INCH, height / _PIXELS_PER_INCH), dpi=DPI, facecolor=PAPER)
    FigureCanvasAgg(figure)
    top = 0.0
    for drawing in drawings:
        place = figure.add_axes((0, 1 - (top + _TITLE_HEIGHT + drawing.height) / height, 1,
                                 (_TITLE_HEIGHT + drawing.height) / height))  # fmt: skip
        place.set_xlim(0, width)
        place.set_ylim(drawing.height, -_TITLE_HEIGHT)
        place.set_axis_off()
        _draw(place, drawing)
        top += _TITLE_HEIGHT + drawing.height
    write_figure(figure, path)


def _draw(place: Axes, drawing: Drawing) -> None:
    place.text(
        20, -_TITLE_HEIGHT / 2 + 6, literal(drawing.title), fontsize=_TITLE * _POINTS, weight="bold",
        color=INK, va="center",
    )  # fmt: skip
    for wire in drawing.wires:
        place.add_patch(_arrow(wire))
    for box in drawing.boxes:
        _box(place, box)


def _arrow(wire: Wire) -> FancyArrowPatch:
    codes = [Curve.MOVETO] + [Curve.CURVE4] * (len(wire.points) - 1)
    return FancyArrowPatch(
        path=Curve(wire.points, codes), arrowstyle="-|>,head_length=5,head_width=2.6", color=wire.colour,
        lw=1.4, shrinkA=0, shrinkB=0, zorder=1,
    )  # fmt: skip


def _box(place: Axes, box: Box) -> None:
    x, y = box.centre
    place.add_patch(_frame(box))
    first = y - _LINE * (len(box.lines) - 1) / 2
    for i, line in enumerate(box.lines):
        place.text(
            x, first + _LINE * i, literal(line), ha="center", va="center", fontsize=_TEXT * _POINTS,
            color=INK, weight="bold" if i == len(box.lines) - 1 else "normal", zorder=3,
        )  # fmt: skip


def _frame(box: Box) -> Patch:
    look: dict[str, Any] = {"fc": box.fill, "ec": box.edge, "lw": 1.4, "zorder": 2}
    if box.width == box.height == 2 * box.radius:
        return Circle(box.centre, box.radius, **look)
    corner = (box.centre[0] - box.width / 2, box.centre[1] - box.height / 2)
    style = f"round,pad=0,rounding_size={box.radius}"
    return FancyBboxPatch(corner, box.width, box.height, boxstyle=style, **look)
