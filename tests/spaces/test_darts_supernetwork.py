import itertools
import zlib

import numpy as np
import pytest

from hwnas.network import Network
from hwnas.spaces import DARTS
from hwnas.spaces.darts_genotype import NODES
from hwnas.spaces.darts_supernetwork import LABELS

SPACE = DARTS(channels=4, layers=3, resolution=8)
SUPERNETWORK = SPACE.supernetwork()
CELL = (
    "[('sep_conv_3x3', 0), ('skip_connect', 1), ('max_pool_3x3', 0), ('dil_conv_5x5', 2), "
    "('sep_conv_5x5', 1), ('skip_connect', 3), ('avg_pool_3x3', 2), ('dil_conv_3x3', 4)]"
)
GENOTYPE = f"Genotype(normal={CELL}, normal_concat=range(2, 6), reduce={CELL}, reduce_concat=range(2, 6))"


def uniform() -> dict[str, np.ndarray]:
    return {group: np.full(len(LABELS), 1 / len(LABELS)) for group in SUPERNETWORK.groups}


def test_a_group_for_each_edge_of_each_kind_of_cell() -> None:
    assert len(SUPERNETWORK.groups) == 2 * 14
    assert SUPERNETWORK.groups["reduce_3→5"] == LABELS
    assert len(SUPERNETWORK.mixtures) == 3 * 14
    groups = {path: mixture[0].terms[0].group for path, mixture in SUPERNETWORK.mixtures.items()}
    assert groups["cell0.edge1_2"] == "normal_1→2"
    assert groups["cell1.edge1_2"] == groups["cell2.edge1_2"] == "reduce_1→2"


def test_edges_that_an_architecture_lacks_are_none() -> None:
    choices = SUPERNETWORK.choices(SPACE.parse(GENOTYPE))
    normal = {
        group: LABELS[choice] for group, choice in choices.items() if group.startswith("normal") and choice
    }
    assert normal == {
        "normal_0→2": "sep_conv_3x3",
        "normal_1→2": "skip_connect",
        "normal_0→3": "max_pool_3x3",
        "normal_2→3": "dil_conv_5x5",
        "normal_1→4": "sep_conv_5x5",
        "normal_3→4": "skip_connect",
        "normal_2→5": "avg_pool_3x3",
        "normal_4→5": "dil_conv_3x3",
    }


def test_the_two_strongest_edges_are_derived_whatever_none_has() -> None:
    given = uniform()
    given["normal_3→5"] = np.array([0.9, 0, 0, 0.1, 0, 0, 0, 0])  # none, but for a skip
    given["normal_1→5"] = np.array([0.2, 0, 0, 0, 0.6, 0.2, 0, 0])
    given["normal_4→5"] = np.array([0.1, 0.12, 0.13, 0.13, 0.13, 0.13, 0.13, 0.13])
    node = SPACE.genotype(SUPERNETWORK.derive(given)).normal[NODES.index(5)]
    assert node == (("sep_conv_3x3", 1), ("avg_pool_3x3", 4))


def test_of_equals_the_first_are_derived() -> None:
    genotype = SPACE.genotype(SUPERNETWORK.derive(uniform()))
    for node in (*genotype.normal, *genotype.reduce):
        assert node == (("max_pool_3x3", 0), ("max_pool_3x3", 1))


def arbitrary(network: Network) -> float:
    """Some cost of a block, now positive, now negative, without any law."""
    return zlib.crc32(network.key.encode()) / 2**31 - 1


def test_no_other_edges_into_a_node_are_cheaper() -> None:
    found = SUPERNETWORK.cheapest(arbitrary)
    names = ("reduce_4_inputs", "reduce_4_first", "reduce_4_second")
    costs = []
    for values in itertools.product(*(SPACE.decisions[name] for name in names)):
        other = SPACE.architecture(**{**found, **dict(zip(names, values, strict=True))})
        costs.append(SUPERNETWORK.expected(arbitrary, SUPERNETWORK.one_hot(other)))
    assert SUPERNETWORK.expected(arbitrary, SUPERNETWORK.one_hot(found)) == pytest.approx(min(costs))
    assert max(costs) > min(costs)


@pytest.mark.parametrize("layers", [1, 2])
def test_networks_of_reduction_cells_alone(layers: int) -> None:
    space = DARTS(channels=4, layers=layers, resolution=8)
    supernetwork = space.supernetwork()
    assert {mixture[0].terms[0].group[:6] for mixture in supernetwork.mixtures.values()} == {"reduce"}
    architecture = space.parse(GENOTYPE)
    assert supernetwork.derive(supernetwork.one_hot(architecture)) == architecture
