from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from hwnas.report.cell_drawing import Edge, cell_drawing
from hwnas.report.drawing import Box

PAIRS = [(source, target) for target in range(1, 7) for source in range(target)]


def overlap(one: Box, other: Box) -> bool:
    (x0, y0), (x1, y1) = one.centre, other.centre
    return 2 * abs(x0 - x1) < one.width + other.width and 2 * abs(y0 - y1) < one.height + other.height


def is_in(box: Box, point: tuple[float, float]) -> bool:
    (x, y), (px, py) = box.centre, point
    return abs(px - x) < box.width / 2 and abs(py - y) < box.height / 2


@given(st.lists(st.sampled_from(PAIRS), min_size=1, unique=True))
def test_no_boxes_overlap_and_all_is_on_the_picture(pairs: list[tuple[int, int]]) -> None:
    drawing = cell_drawing("cell", [Edge(*pair, "sep_conv_3x3", "#000") for pair in pairs])
    assert not any(overlap(*both) for both in combinations(drawing.boxes, 2))
    for box in drawing.boxes:
        assert box.width / 2 <= box.centre[0] <= drawing.width - box.width / 2
        assert box.height / 2 <= box.centre[1] <= drawing.height - box.height / 2


@given(st.lists(st.sampled_from(PAIRS), min_size=1, unique=True))
def test_bends_of_wires_are_under_no_label(pairs: list[tuple[int, int]]) -> None:
    drawing = cell_drawing("cell", [Edge(*pair, "sep_conv_3x3", "#000") for pair in pairs])
    labels = [box for box in drawing.boxes if not box.lines[0].isdigit()]
    for wire in drawing.wires:
        ends = (wire.points[0][0], wire.points[-1][0])
        risers = [(x, y) for x in ends for y in {point[1] for point in wire.points}]
        assert not any(is_in(label, point) for label in labels for point in risers)


def test_each_operation_but_none_has_a_wire_from_its_node_to_its_node() -> None:
    edges = [Edge(0, 1, "skip", "#000"), Edge(0, 2, "none", "#000"), Edge(1, 2, "conv", "#000")]
    drawing = cell_drawing("cell", edges)
    centres = {box.lines[0]: box.centre for box in drawing.boxes}
    assert set(centres) == {"0", "1", "2", "skip", "conv"}
    assert len(drawing.wires) == 2
    for wire, (source, target) in zip(drawing.wires, (("0", "1"), ("1", "2")), strict=True):
        assert centres[source][0] < wire.points[0][0] < wire.points[-1][0] < centres[target][0]
