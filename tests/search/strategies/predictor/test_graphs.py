import numpy as np
import pytest

from hwnas.search.strategies.predictor.graphs import graphs, has_cells
from hwnas.spaces import DARTS, MobileNetV2, NASBench101, NASBench201, TransNASBench101Micro

CELLS = [NASBench201(), NASBench101(), TransNASBench101Micro(), DARTS()]
each = pytest.mark.parametrize("space", CELLS, ids=lambda space: space.name)


def graphs_of(space, *texts):
    return graphs(space, space.integers([space.parse(text) for text in texts]))


def routes(found, row):
    """The labels along each path from the first node to the last."""

    def leading_to(node):
        if node == 0:
            return [()]
        label = int(found.labels[row, node])
        return [
            (*route, label)
            for source in np.flatnonzero(found.reads[row, node])
            for route in leading_to(source)
        ]

    return sorted(route[:-1] for route in leading_to(found.labels.shape[1] - 1))


@each
def test_nodes_read_live_ones_before_them(space):
    assert has_cells(space)
    found = graphs(space, space.integers(space.sample(60, seed=0)))
    nodes = found.labels.shape[1]
    assert not (found.reads & np.triu(np.ones((nodes, nodes), dtype=bool))).any()
    assert not (found.reads & ~found.is_live[:, None, :]).any()
    assert (found.labels >= 0).all() and (found.labels < found.kinds).all()


def test_edges_of_nasbench201_are_nodes_and_none_is_no_edge():
    found = graphs_of(
        NASBench201(),
        "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|nor_conv_1x1~0|none~1|avg_pool_3x3~2|",
        "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|none~1|avg_pool_3x3~2|",
    )
    skip, conv1, conv3, pool = range(4)
    assert routes(found, 0) == [(conv1,), (conv3, skip, pool)]
    assert not found.is_live[1].any()


def test_a_vertex_of_nasbench101_that_leads_nowhere_is_dead():
    space = NASBench101()
    edges = {name: int(name in ("0→1", "1→6", "0→2", "0→6")) for name in space.decisions if "→" in name}
    operations = {f"op_{vertex}": "maxpool3x3" for vertex in range(1, 6)}
    found = graphs(space, space.integers([space.architecture(**edges, **operations)]))
    assert routes(found, 0) == [(), (2,)]
    assert found.is_live[0].tolist() == [True, True, False, False, False, False, True]


def test_operations_of_darts_read_all_that_makes_their_input():
    space = DARTS()
    found = graphs(space, space.integers(space.sample(20, seed=1)))
    for row, architecture in enumerate(space.sample(20, seed=1)):
        for cell, nodes in enumerate(space.genotype(architecture)):
            for node, edges in enumerate(nodes):
                for side, edge in enumerate(edges):
                    place = 11 * cell + 2 + 2 * node + side
                    read = {0: [0], 1: [1]}.get(edge.input, [2 * edge.input - 2, 2 * edge.input - 1])
                    assert np.flatnonzero(found.reads[row, place]).tolist() == [
                        11 * cell + one for one in read
                    ]


def test_other_spaces_are_chains_of_their_decisions():
    space = MobileNetV2(resolution=96, classes=10)
    assert not has_cells(space)
    found = graphs(space, space.integers(space.sample(5, seed=0)))
    assert found.kinds == sum(map(len, space.choices))
    assert (found.reads.sum(axis=(1, 2)) == len(space.choices) - 1).all()
