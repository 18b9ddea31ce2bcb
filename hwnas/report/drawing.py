"""Boxes and wires at their places, for pictures of graphs: pixels, x to the right and y downwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from hwnas.report.colours import INK

Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A rectangle with lines of text in its middle; `radius` rounds its corners.

    Attributes:
        centre: its middle.
        width, height: its size.
        lines: what stands in it; the last is bold.
        edge, fill: colours.
        radius: half of the height makes its ends round.
    """

    centre: Point
    width: float
    height: float
    lines: tuple[str, ...]
    edge: str
    fill: str
    radius: float = 6.0


@dataclass(frozen=True)
class Wire:
    """An arrow along cubic curves: a start, then two control points and an end for each curve."""

    points: tuple[Point, ...]
    colour: str = INK


@dataclass(frozen=True)
class Drawing:
    """A picture of a graph; boxes hide the wires under them."""

    title: str
    width: float
    height: float
    boxes: Sequence[Box]
    wires: Sequence[Wire]


def straight(*corners: Point) -> tuple[Point, ...]:
    """Straight lines through these points, as the curves of a `Wire`."""
    points = [corners[0]]
    for (x0, y0), (x1, y1) in pairwise(corners):
        points += [(x0 + (x1 - x0) * part / 3, y0 + (y1 - y0) * part / 3) for part in (1, 2, 3)]
    return tuple(points)
