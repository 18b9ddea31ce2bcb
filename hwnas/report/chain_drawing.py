"""A network that is a chain of blocks, in rows to be read as text is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from hwnas.report.colours import GREY, INK, MUTED, PAPER
from hwnas.report.drawing import Box, Drawing, Point, Wire, straight
from hwnas.report.text import shorten

_COLUMNS = 5
_ACROSS, _DOWN, _MARGIN = 208.0, 88.0, 24.0
_WIDTH, _HEIGHT = 174.0, 52.0
_NAME = 24


@dataclass(frozen=True)
class Step:
    """A block: its path, what was chosen for it, a colour, and whether anything is there at all."""

    path: str
    choice: str
    colour: str
    is_there: bool


def chain_drawing(title: str, steps: Sequence[Step]) -> Drawing:
    """A box for each block, an arrow from each to the next."""
    columns = min(_COLUMNS, len(steps))
    rows = -(-len(steps) // _COLUMNS)
    centres = [_centre(i) for i in range(len(steps))]
    boxes = [_box(centre, step) for centre, step in zip(centres, steps, strict=True)]
    wires = [_wire(*ends) for ends in pairwise(centres)]
    width = 2 * _MARGIN + _WIDTH + _ACROSS * (columns - 1)
    return Drawing(title, width, 2 * _MARGIN + _HEIGHT + _DOWN * (rows - 1), boxes, wires)


def _centre(position: int) -> Point:
    row, column = divmod(position, _COLUMNS)
    return _MARGIN + _WIDTH / 2 + _ACROSS * column, _MARGIN + _HEIGHT / 2 + _DOWN * row


def _box(centre: Point, step: Step) -> Box:
    lines = (shorten(step.path, _NAME), shorten(step.choice, _NAME))
    edge = INK if step.colour == PAPER else step.colour
    return Box(
        centre, _WIDTH, _HEIGHT, lines, edge if step.is_there else GREY, PAPER, 6 if step.is_there else 26
    )


def _wire(start: Point, end: Point) -> Wire:
    (x0, y0), (x1, y1) = start, end
    if y0 == y1:
        return Wire(straight((x0 + _WIDTH / 2, y0), (x1 - _WIDTH / 2, y1)), MUTED)
    between = (y0 + y1) / 2
    corners = ((x0, y0 + _HEIGHT / 2), (x0, between), (x1, between), (x1, y1 - _HEIGHT / 2))
    return Wire(straight(*corners), MUTED)
