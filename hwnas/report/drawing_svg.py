"""A drawing as SVG inside a page; every text is escaped here."""

from __future__ import annotations

from html import escape

from hwnas.report.colours import INK
from hwnas.report.drawing import Box, Drawing, Wire
from hwnas.report.plotting import FONT

_LINE, _TEXT = 17, 13


def svg(drawing: Drawing) -> str:
    """An `<svg>` as wide as its place allows, its own size at most."""
    wires = "".join(map(_wire, drawing.wires))
    boxes = "".join(map(_box, drawing.boxes))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {drawing.width:g} {drawing.height:g}" '
        f'style="display:block;width:100%;max-width:{drawing.width:g}px;height:auto" role="img" '
        f'aria-label="{escape(drawing.title)}" font-family="{escape(FONT)}" font-size="{_TEXT}" '
        f'text-anchor="middle" fill="{INK}">{wires}{boxes}</svg>'
    )


def _wire(wire: Wire) -> str:
    (x, y), *rest = wire.points
    curves = " ".join(
        "C" + " ".join(f"{px:.1f},{py:.1f}" for px, py in rest[i : i + 3]) for i in range(0, len(rest), 3)
    )
    path = f'<path d="M{x:.1f},{y:.1f} {curves}" fill="none" stroke="{wire.colour}" stroke-width="2"/>'
    return path + _head(wire)


def _head(wire: Wire) -> str:
    """A triangle at the end of a wire, in its direction."""
    end = wire.points[-1]
    before = wire.points[-2]
    length = ((end[0] - before[0]) ** 2 + (end[1] - before[1]) ** 2) ** 0.5
    dx, dy = (end[0] - before[0]) / length, (end[1] - before[1]) / length
    corners = [end, *((end[0] - 9 * dx + s * 4.5 * dy, end[1] - 9 * dy - s * 4.5 * dx) for s in (1, -1))]
    return f'<polygon points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in corners)}" fill="{wire.colour}"/>'


def _box(box: Box) -> str:
    x, y = box.centre
    frame = (
        f'<rect x="{x - box.width / 2:.1f}" y="{y - box.height / 2:.1f}" width="{box.width:g}" '
        f'height="{box.height:g}" rx="{box.radius:g}" fill="{box.fill}" stroke="{box.edge}" '
        'stroke-width="2"/>'
    )
    first = y - _LINE * (len(box.lines) - 1) / 2 + 0.36 * _TEXT
    texts = "".join(
        f'<text x="{x:.1f}" y="{first + _LINE * i:.1f}"{_weight(i, box)}>{escape(line)}</text>'
        for i, line in enumerate(box.lines)
    )
    return frame + texts


def _weight(line: int, box: Box) -> str:
    return ' font-weight="650"' if line == len(box.lines) - 1 else ""
