import pytest

from hwnas.report.architecture_drawing import drawings
from hwnas.report.differentiable_answer import Answer, colours_of
from hwnas.spaces import space

CELL = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|none~1|nor_conv_1x1~2|"


def answer(spec: str, text: str | None = None) -> Answer:
    searched = space(spec)
    supernetwork = searched.supernetwork()
    chosen = searched.parse(text) if text else searched.sample(1, seed=0)[0]
    return Answer(supernetwork, supernetwork.choices(chosen))


def test_a_cell_has_the_operations_of_the_architecture() -> None:
    (cell,) = drawings(answer("nasbench201:cells=1", CELL))
    labels = sorted(box.lines[0] for box in cell.boxes if not box.lines[0].isdigit())
    assert labels == ["avg_pool_3x3", "nor_conv_1x1", "nor_conv_3x3", "skip_connect"]


def test_darts_has_two_cells_of_eight_edges() -> None:
    cells = drawings(answer("darts"))
    assert [cell.title for cell in cells] == ["The normal cell", "The reduce cell"]
    assert [len(cell.wires) for cell in cells] == [8, 8]


def test_a_chain_has_its_blocks_in_order() -> None:
    found = answer("fbnet")
    (chain,) = drawings(found)
    blocks = [item.name for item in found.supernetwork.skeleton.items]
    assert [box.lines[0] for box in chain.boxes if box.lines[0] in blocks] == [
        name for name in blocks if name in {box.lines[0] for box in chain.boxes}
    ]
    text = str(space("fbnet").sample(1, seed=0)[0]).split(",")
    assert [box.lines[1] for box in chain.boxes if box.lines[1] != "fixed"] == text
    assert len(chain.wires) == len(chain.boxes) - 1


def test_a_block_of_several_decisions_names_them() -> None:
    (chain,) = drawings(answer("mcunet"))
    assert chain.boxes[2].lines == ("stage1.block0", "kernel 5, expansion 5")


@pytest.mark.parametrize("spec", ["nasbench201", "darts", "fbnet"])
def test_choices_have_colours_of_their_own(spec: str) -> None:
    colours = colours_of(space(spec).supernetwork().groups)
    assert len(set(colours.values())) == len(colours)
