import itertools
import json
import math
import pickle

import networkx
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hwnas.cost import count
from hwnas.network.to_torch import to_torch
from hwnas.spaces import SPACES, Architecture, space
from hwnas.spaces.nasbench101 import NASBench101
from hwnas.spaces.nasbench101_cell import OPERATIONS, Cell, canonical, module_hash, vertex_channels
from hwnas.spaces.nasbench101_text import format_cell, parse_cell
from hwnas.spaces.nasbench101_unique import unique_encodings

CONV3X3, CONV1X1, MAXPOOL = OPERATIONS
SMALL = NASBench101(stem_channels=4, cells=1, resolution=8)
seeds = st.integers(0, 2**32 - 1)

# The benchmark's README and the output of its notebook for the same cell: another order of the vertices.
INCEPTION = (
    "conv1x1-bn-relu~0+conv3x3-bn-relu~0+conv3x3-bn-relu~0+conv3x3-bn-relu~3+maxpool3x3~0+output~1~2~4~5"
)
INCEPTION_IN_DATASET = {
    "matrix": [
        [0, 1, 1, 1, 1, 0, 0],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 1, 0],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 0],
    ],
    "ops": ["input", CONV3X3, CONV1X1, MAXPOOL, CONV3X3, CONV3X3, "output"],
}
# The first record of nasbench_only108.tfrecord, and another.
FIRST = {
    "matrix": [
        [0, 1, 0, 0, 1, 1, 0],
        [0, 0, 1, 0, 0, 0, 0],
        [0, 0, 0, 1, 0, 0, 1],
        [0, 0, 0, 0, 0, 1, 0],
        [0, 0, 0, 0, 0, 1, 0],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 0],
    ],
    "ops": ["input", CONV3X3, MAXPOOL, CONV3X3, CONV3X3, CONV1X1, "output"],
}
POOLS = {
    "matrix": [
        [0, 1, 0, 1, 0, 0, 0],
        [0, 0, 1, 0, 1, 1, 0],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 1, 0, 0],
        [0, 0, 0, 0, 0, 1, 0],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 0],
    ],
    "ops": ["input", MAXPOOL, CONV3X3, MAXPOOL, CONV1X1, MAXPOOL, "output"],
}


def draw(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def graph(cell: Cell) -> networkx.DiGraph:
    made = networkx.DiGraph()
    for vertex, operation in enumerate(("input", *cell.operations, "output")):
        made.add_node(vertex, operation=operation)
    made.add_edges_from((s, vertex) for vertex, sources in enumerate(cell.sources) for s in sources)
    return made


def isomorphic(one: Cell, other: Cell) -> bool:
    return networkx.is_isomorphic(
        graph(one), graph(other), node_match=lambda a, b: a["operation"] == b["operation"]
    )


def in_other_order(cell: Cell, seed: int) -> Cell:
    """The same cell with its vertices in another topological order."""
    rank = draw(seed).permutation(len(cell.sources))
    order = list(networkx.lexicographical_topological_sort(graph(cell), key=lambda v: rank[v]))
    place = {vertex: index for index, vertex in enumerate(order)}
    sources = tuple(tuple(sorted(place[s] for s in cell.sources[v])) for v in order)
    return Cell(sources, tuple(cell.operations[v - 1] for v in order[1:-1]))


# --- published facts


@pytest.mark.parametrize(
    ("text", "params"),
    [
        (INCEPTION, 2_694_282),
        (json.dumps(INCEPTION_IN_DATASET), 2_694_282),
        (json.dumps(FIRST), 8_555_530),
        (json.dumps(POOLS), 3_468_426),
    ],
)
def test_trainable_parameters_of_the_dataset(text: str, params: int) -> None:
    counts = count(NASBench101().parse(text).network)
    assert counts.whole.params == params == counts.live.params


def test_the_key_of_the_dataset() -> None:
    found = NASBench101().module_hash(NASBench101().parse(json.dumps(FIRST)))
    assert found == "00005c142e6f48ac74fdcf73e3439874"


@pytest.mark.parametrize("held", [INCEPTION_IN_DATASET, FIRST, POOLS])
def test_canonical_is_how_the_dataset_holds_a_cell(held: dict[str, object]) -> None:
    architecture = SMALL.parse(json.dumps(held))
    assert SMALL.canonical(architecture) == architecture


def test_the_benchmarks_example_in_its_own_order_is_the_same_cell() -> None:
    written, held = SMALL.parse(INCEPTION), SMALL.parse(json.dumps(INCEPTION_IN_DATASET))
    assert written != held
    assert SMALL.canonical(written) == held
    assert SMALL.module_hash(written) == SMALL.module_hash(held)
    assert written.network.key == held.network.key


def test_the_benchmark_has_423_624_cells() -> None:
    """Ying et al.; counted without the hash, as orbits of the relabellings."""
    encodings = unique_encodings()
    assert len(encodings) == 423_624
    assert len(np.unique(encodings @ 3 ** np.arange(26))) == 423_624
    assert len(unique_encodings(6)) == 64_542


def test_up_to_five_vertices_hashing_everything_finds_the_same_cells() -> None:
    hashes = set()
    for vertices in range(2, 6):
        edges = list(itertools.combinations(range(vertices), 2))
        for present in itertools.product((False, True), repeat=len(edges)):
            taken = [edge for edge, is_there in zip(edges, present, strict=True) if is_there]
            sources = tuple(tuple(s for s, t in taken if t == vertex) for vertex in range(vertices))
            shape = Cell(sources, (CONV3X3,) * (vertices - 2))
            if len(taken) <= 9 and shape.pruned() == shape:
                for names in itertools.product(OPERATIONS, repeat=vertices - 2):
                    hashes.add(module_hash(Cell(sources, names)))
    found = [SMALL.from_encoding(row) for row in unique_encodings(5)]
    assert len(found) == len(hashes) == 2_532
    assert {SMALL.module_hash(a) for a in found} == hashes
    assert all(SMALL.canonical(a) == a for a in found)


def test_unique_cells_are_canonical() -> None:
    for architecture in itertools.islice(SMALL.unique(), 0, None, 2_003):
        assert SMALL.is_valid(architecture)
        assert SMALL.canonical(architecture) == architecture


@pytest.mark.parametrize(
    ("sources", "channels", "expected"),
    [
        (((), (0,), (1,), (2,)), (8, 16), (8, 16, 16, 16)),
        (((), (0,)), (5, 1), (5, 1)),
        (((), (0,), (0,), (1, 2), (3,)), (8, 16), (8, 16, 16, 16, 16)),
        (((), (0,), (0,), (1, 2)), (8, 15), (8, 8, 7, 15)),
        (((), (0,), (0,), (0,), (1, 2, 3)), (8, 8), (8, 3, 3, 2, 8)),
        (((), (0,), (1,), (1,), (2, 3)), (8, 9), (8, 5, 5, 4, 9)),
        (((), (0,), (1,), (0, 2), (1, 3)), (8, 15), (8, 8, 7, 7, 15)),
    ],
)
def test_channels_as_the_benchmark_divides_them(
    sources: tuple[tuple[int, ...], ...], channels: tuple[int, int], expected: tuple[int, ...]
) -> None:
    """The cases of the benchmark's own tests."""
    cell = Cell(sources, (CONV3X3,) * (len(sources) - 2))
    assert vertex_channels(cell, *channels) == expected


# --- laws


def test_size_is_the_number_of_valid_encodings() -> None:
    graphs = np.arange(2**21)
    edge = {
        (s, t): (graphs >> (s + t * (t - 1) // 2) & 1).astype(bool) for t in range(1, 7) for s in range(t)
    }
    fed, used = [np.ones(2**21, bool)], {6: np.ones(2**21, bool)}
    for t in range(1, 7):
        fed.append(np.any([edge[s, t] & fed[s] for s in range(t)], axis=0))
    for s in reversed(range(6)):
        used[s] = np.any([edge[s, t] & used[t] for t in range(s + 1, 7)], axis=0)
    kept = sum((edge[s, t] & fed[s] & used[t]).astype(int) for s, t in edge)
    valid = fed[6] & (kept <= 9)
    assert SMALL.size == valid.sum() * 3**5
    for index in draw(0).integers(2**21, size=2_000):
        encoding = [int(index) >> bit & 1 for bit in range(21)] + [0] * 5
        assert SMALL.is_valid(Architecture(SMALL, tuple(encoding))) == valid[index]


@settings(max_examples=60, deadline=None)
@given(seed=seeds)
def test_orders_of_the_vertices_do_not_matter(seed: int) -> None:
    cell = SMALL.cell(SMALL.random(draw(seed)))
    other = in_other_order(cell, seed)
    assert canonical(other) == canonical(cell) == cell
    assert module_hash(other) == module_hash(cell)
    assert SMALL.parse(format_cell(other)).network.key == SMALL.parse(format_cell(cell)).network.key


@settings(max_examples=100, deadline=None)
@given(seed=seeds)
def test_hash_and_canonical_form_tell_apart_what_is_not_isomorphic(seed: int) -> None:
    generator = draw(seed)
    start = SMALL.random(generator)
    cell = SMALL.cell(start)
    for _ in range(3):
        other = SMALL.cell(SMALL.mutate(start, generator))
        same = len(cell.sources) == len(other.sources) and isomorphic(cell, other)
        assert (module_hash(cell) == module_hash(other)) == same == (cell == other)


@settings(max_examples=60, deadline=None)
@given(seed=seeds)
def test_all_that_moves_stays_valid(seed: int) -> None:
    generator = draw(seed)
    mother, father = SMALL.random(generator), SMALL.random(generator)
    mutant, child = SMALL.mutate(mother, generator), SMALL.crossover(mother, father, generator)
    assert mutant in list(SMALL.neighbours(mother))
    for architecture in (mother, father, mutant, child):
        pruned = SMALL.cell(architecture)
        assert SMALL.is_valid(architecture)
        assert 1 <= pruned.edges <= 9
        assert networkx.has_path(graph(pruned), 0, pruned.output)


@settings(max_examples=60, deadline=None)
@given(seed=seeds)
def test_round_trips(seed: int) -> None:
    a = SMALL.random(draw(seed))
    assert SMALL.parse(str(a)) == a
    assert SMALL.architecture(**dict(a)) == a
    assert SMALL.parse(str(SMALL.canonical(a))) == SMALL.canonical(a)
    assert pickle.loads(pickle.dumps(a)) == a
    matrix = networkx.to_numpy_array(graph(parse_cell(str(a))), dtype=int).tolist()
    ops = ["input", *parse_cell(str(a)).operations, "output"]
    assert SMALL.parse(json.dumps({"matrix": matrix, "ops": ops})) == a


def test_smaller_cells() -> None:
    assert str(SMALL.canonical(SMALL.parse("maxpool3x3~0+conv3x3-bn-relu+output~0"))) == "output~0"
    a = SMALL.parse("maxpool3x3+maxpool3x3+conv1x1-bn-relu~0~1+output~3")
    assert str(SMALL.canonical(a)) == "conv1x1-bn-relu~0+output~1"
    assert [a[f"op_{i}"] for i in range(1, 6)] == [MAXPOOL, MAXPOOL, CONV1X1, CONV3X3, CONV3X3]
    assert [name for name in SMALL.decisions if "→" in name and a[name]] == ["0→3", "1→3", "3→6"]


def test_sources_may_be_written_in_any_order() -> None:
    assert parse_cell("maxpool3x3~0+maxpool3x3~1~0+output~2~1").sources == ((), (0,), (0, 1), (1, 2))


# --- networks


@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_networks_compute(seed: int) -> None:
    network = SMALL.random(draw(seed)).network
    module = to_torch(network)
    assert module(torch.randn(2, 3, 8, 8)).shape == (2, 10)
    counts = count(network)
    assert counts.whole.params == counts.live.params == sum(p.numel() for p in module.parameters())
    assert counts.whole.macs == counts.live.macs > 0


def test_a_cell_computes_what_the_benchmark_describes() -> None:
    """Sums at vertices, concatenation and the projected input at the output, checked by hand."""
    made = NASBench101(stem_channels=5, stacks=1, cells=1, resolution=4)
    network = made.parse("maxpool3x3~0+maxpool3x3~0~1+output~0~1~2").network
    module = to_torch(network).eval()
    x = torch.randn(2, 3, 4, 4)
    with torch.no_grad():
        parts = dict(module.named_children())
        cell = dict(parts["stack0"].named_children())["cell0"]

        def conv_bn_relu(block: torch.nn.Module, value: torch.Tensor) -> torch.Tensor:
            return torch.relu(block.bn(block.conv(value)))

        x0 = conv_bn_relu(parts["stem"], x)
        pool = torch.nn.MaxPool2d(3, 1, 1)
        x1 = pool(conv_bn_relu(cell.projection1, x0))
        x2 = pool(x1[:, :2] + conv_bn_relu(cell.projection2, x0))
        y = torch.cat([x1, x2], dim=1) + conv_bn_relu(cell.projection3, x0)
        assert x1.shape[1:] == (3, 4, 4)
        expected = parts["head"].linear(y.mean((2, 3)))
        torch.testing.assert_close(module(x), expected)


def test_cells_are_shared_between_the_layers_of_a_stack() -> None:
    network = NASBench101().parse(INCEPTION).network
    cells = [item for item in network.items if item.name.startswith("stack1.cell")]
    assert [cell.network is cells[1].network for cell in cells] == [False, True, True]
    shapes = [value.shape for item in network.items for value in item.outputs if ".cell2" in item.name]
    assert shapes == [(128, 32, 32), (256, 16, 16), (512, 8, 8)]


def test_sizes_that_do_not_halve_evenly_are_padded() -> None:
    network = NASBench101(stem_channels=4, resolution=7).parse("output~0").network
    assert [v.shape[1:] for i in network.items for v in i.outputs if "downsample" in i.name] == [
        (4, 4),
        (2, 2),
    ]
    assert to_torch(network)(torch.randn(2, 3, 7, 7)).shape == (2, 10)


# --- text and settings


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("the last vertex .* must be output, not ''", ""),
        ("the last vertex of .* must be output, not 'maxpool3x3'", "maxpool3x3~0"),
        ("'pool' in .* choose from conv3x3-bn-relu, conv1x1-bn-relu, maxpool3x3", "pool~0+output~1"),
        ("8 vertices with input and output, at most 7", "+".join(["maxpool3x3~0"] * 6) + "+output~1"),
        ("~1 at vertex 1 of .*: ~0 to ~0 expected", "maxpool3x3~1+output~1"),
        ("~0 at vertex 2 of .*: ~0 to ~1 expected, each once", "maxpool3x3~0+output~0~0"),
        ("~x at vertex 1", "output~x"),
        ("no path from input to output", "maxpool3x3~0+output"),
        (
            "10 edges between input and output, at most 9",
            "+".join(["maxpool3x3~0"] * 5) + "+output~1~2~3~4~5",
        ),
        ("is no NAS-Bench-101 cell", '{"matrix": '),
        ('"ops" of .* must be a list of operations', '{"matrix": [[0, 1], [0, 0]]}'),
        ('"ops" of .* from "input" to "output"', '{"ops": ["output", "input"], "matrix": [[0, 1], [0, 0]]}'),
        ("must be output", '{"ops": ["input", "maxpool3x3"], "matrix": [[0, 1], [0, 0]]}'),
        ('"matrix" of .* 2 rows', '{"ops": ["input", "output"], "matrix": [[0, 1]]}'),
        ('"matrix" of .* 0 or 1', '{"ops": ["input", "output"], "matrix": [[0, 2], [0, 0]]}'),
        ("above the diagonal", '{"ops": ["input", "output"], "matrix": [[0, 1], [1, 0]]}'),
    ],
)
def test_malformed_cells(message: str, text: str) -> None:
    with pytest.raises(ValueError, match=message):
        SMALL.parse(text)


@pytest.mark.parametrize(
    ("message", "setting"),
    [
        ("stem_channels must be a whole number of at least 4, not 3", {"stem_channels": 3}),
        ("stacks must be a whole number of at least 1, not 0", {"stacks": 0}),
        ("resolution must be a whole number of at least 1, not 2.5", {"resolution": 2.5}),
    ],
)
def test_wrong_settings(message: str, setting: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=message):
        NASBench101(**setting)


def test_by_name() -> None:
    assert SPACES["nasbench101"] is NASBench101
    assert space("nasbench101:stem_channels=16,cells=1") == NASBench101(stem_channels=16, cells=1)
    assert space(str(SMALL)) == SMALL != NASBench101()
    assert str(NASBench101()) == "nasbench101"
    assert math.prod(len(choices) for choices in SMALL.decisions.values()) == 2**21 * 3**5
