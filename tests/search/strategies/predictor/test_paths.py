import numpy as np

from hwnas.search.strategies.predictor.graphs import graphs
from hwnas.search.strategies.predictor.paths import path_encoding
from hwnas.spaces import DARTS, NASBench101, NASBench201
from tests.search.strategies.predictor.test_graphs import routes
from tests.search.toy import Toy


def column(route, operations):
    """Paths by their length, then as numbers whose digits are the operations."""
    shorter = sum(operations**length for length in range(len(route)))
    return shorter + sum(one * operations**place for place, one in enumerate(reversed(route)))


def test_paths_of_a_cell_of_nasbench201():
    space = NASBench201()
    text = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|nor_conv_1x1~0|none~1|avg_pool_3x3~2|"
    found = path_encoding(space, space.integers([space.parse(text)]))
    assert found.shape == (1, 1 + 4 + 4**2 + 4**3)
    assert set(np.flatnonzero(found[0])) == {column((1,), 4), column((2, 0, 3), 4)}


def test_the_encoding_has_the_routes_of_the_graph():
    for space, operations, width in ((NASBench201(), 4, 85), (NASBench101(), 3, 364)):
        choices = space.integers(space.sample(40, seed=2))
        encoded, cells = path_encoding(space, choices), graphs(space, choices)
        assert encoded.shape == (40, width)
        for row in range(40):
            expected = {column(route, operations) for route in routes(cells, row)}
            assert set(np.flatnonzero(encoded[row])) == expected


def test_isomorphic_cells_have_one_encoding():
    space = NASBench201()
    skip = "|skip_connect~0|+|none~0|nor_conv_3x3~1|+|none~0|none~1|skip_connect~2|"
    same = "|none~0|+|skip_connect~0|none~1|+|none~0|none~1|none~2|"
    through = "|nor_conv_3x3~0|+|skip_connect~0|none~1|+|none~0|skip_connect~1|none~2|"
    swapped = "|skip_connect~0|+|nor_conv_3x3~0|none~1|+|none~0|none~1|skip_connect~2|"
    found = path_encoding(space, space.integers([space.parse(t) for t in (skip, same, through, swapped)]))
    assert (found[2] == found[3]).all()
    assert not (found[0] == found[2]).all() and not found[1].any()


def test_spaces_without_such_cells_have_none():
    for space in (Toy(), DARTS()):
        assert path_encoding(space, space.integers(space.sample(2, seed=0))) is None
