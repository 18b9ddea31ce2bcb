"""A cell of numbered nodes: the nodes in a row, each edge in a lane of its own with its operation on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hwnas.report.colours import GREY, INK, PAPER
from hwnas.report.drawing import Box, Drawing, Point, Wire, straight
from hwnas.report.text import shorten

_SPACING, _LANE, _MARGIN = 184.0, 52.0, 48.0
_NODE, _BEND, _TIP = 38.0, 30.0, 10.0
_APART = 7.0
"""How far what leaves a node, and what enters it, is from its middle."""
_LABEL = (116.0, 30.0)
_NAME = 14


@dataclass(frozen=True)
class Edge:
    """An operation between two nodes; `none` is not drawn."""

    source: int
    target: int
    operation: str
    colour: str

    @property
    def span(self) -> int:
        """How many nodes it goes on."""
        return self.target - self.source


def cell_drawing(title: str, edges: Sequence[Edge]) -> Drawing:
    """Nodes from left to right; lanes above and below them, so that nothing overlaps.

    Args:
        title: of the drawing.
        edges: all of the cell, each from a lower to a higher node.
    """
    nodes = range(min(edge.source for edge in edges), max(edge.target for edge in edges) + 1)
    lanes = _lanes([edge for edge in edges if edge.operation != "none"])
    above = max([0, *(-lane for lane in lanes.values())])
    below = max([0, *lanes.values()])
    middle = _MARGIN + above * _LANE
    centres = {node: (_MARGIN + _SPACING * i, middle) for i, node in enumerate(nodes)}
    inputs = set(nodes) - {edge.target for edge in edges}
    boxes = [_node(centres[node], node, node in inputs) for node in nodes]
    boxes += [_label(edge, centres, lane) for edge, lane in lanes.items()]
    wires = [_wire(centres[edge.source], centres[edge.target], lane) for edge, lane in lanes.items()]
    width = 2 * _MARGIN + _SPACING * (len(nodes) - 1)
    return Drawing(title, width, middle + below * _LANE + _MARGIN, boxes, wires)


def _lanes(edges: Sequence[Edge]) -> dict[Edge, int]:
    """0 along the nodes, for edges to the next; others above (negative) and below, short ones near."""
    lanes: dict[Edge, int] = {}
    for edge in sorted(edges, key=lambda edge: (edge.span, edge.source)):
        lane = 0
        if edge.span > 1:
            taken = {lane for other, lane in lanes.items() if _meet(edge, other)}
            lane = next(n for n in _outwards(len(edges)) if n not in taken)
        lanes[edge] = lane
    return lanes


def _outwards(most: int) -> list[int]:
    return [sign * distance for distance in range(1, most + 1) for sign in (-1, 1)]


def _meet(one: Edge, other: Edge) -> bool:
    return one.source < other.target and other.source < one.target


def _node(centre: Point, node: int, is_input: bool) -> Box:
    return Box(centre, _NODE, _NODE, (str(node),), GREY if is_input else INK, PAPER, _NODE / 2)


def _label(edge: Edge, centres: dict[int, Point], lane: int) -> Box:
    """On the lane, between two nodes and not above one, where other edges leave it."""
    x, y = centres[edge.source]
    step = (edge.span - 1) // 2 if lane < 0 else edge.span // 2
    centre = (x + _SPACING * (step + 0.5), y + _LANE * lane)
    return Box(centre, *_LABEL, (shorten(edge.operation, _NAME),), edge.colour, PAPER)


def _wire(start: Point, end: Point, lane: int) -> Wire:
    (x0, y0), (x1, y1) = start, end
    if lane == 0:
        return Wire(straight((x0 + _NODE / 2, y0), (x1 - _NODE / 2, y1)))
    side = 1 if lane > 0 else -1
    height = ((_NODE / 2) ** 2 - _APART**2) ** 0.5
    x0, x1 = x0 + _APART, x1 - _APART
    y, y0, y1 = y0 + _LANE * lane, y0 + side * height, y1 + side * height
    rise = ((x0, y0), (x0, y), (x0, y), (x0 + _BEND, y))
    level = straight((x0 + _BEND, y), (x1 - _BEND, y))[1:]
    bend = y1 + side * _TIP
    fall = ((x1, y), (x1, y), (x1, bend), *straight((x1, bend), (x1, y1))[1:])
    return Wire((*rise, *level, *fall))
