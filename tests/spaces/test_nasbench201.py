import csv
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyarrow import csv as csv_of_arrow
from pyarrow import parquet

from hwnas.cost import count
from hwnas.network import Builder, Network, Value
from hwnas.spaces import BenchmarkOrder, NASBench201

ALL_CONV_3X3 = (
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|"
)


def test_every_string_of_the_benchmark_parses_and_prints_back(nasbench201_csv: Path) -> None:
    space = NASBench201()
    with nasbench201_csv.open(newline="") as file:
        strings = [row["arch"] for row in csv.DictReader(file)]
    found = [space.parse(text) for text in strings]
    assert len(set(found)) == space.size == 15_625
    assert [str(a) for a in found] == strings


def test_the_order_of_the_benchmark(nasbench201_csv: Path, tmp_path: Path) -> None:
    space = NASBench201()
    order = BenchmarkOrder.read(space, nasbench201_csv)
    assert len(order) == 15_625
    first = "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|"
    assert str(order.architecture(0)) == first
    assert [order.index(a) for a in order] == list(range(15_625))
    parquet.write_table(csv_of_arrow.read_csv(nasbench201_csv).slice(0, 7), tmp_path / "some.parquet")
    some = BenchmarkOrder.read(space, tmp_path / "some.parquet")
    assert list(some) == [order.architecture(i) for i in range(7)]
    with pytest.raises(ValueError, match="has index 7"):
        some.architecture(7)
    with pytest.raises(ValueError, match="not in this benchmark"):
        some.index(order.architecture(8))


def test_an_order_that_contradicts_itself() -> None:
    space = NASBench201()
    row = {"index": 0, "arch": ALL_CONV_3X3}
    with pytest.raises(ValueError, match="index 0 occurs twice"):
        BenchmarkOrder(space, [row, row])
    with pytest.raises(ValueError, match="two indices"):
        BenchmarkOrder(space, [row, {**row, "index": 1}])
    with pytest.raises(ValueError, match="columns index and arch"):
        BenchmarkOrder(space, [{"arch": ALL_CONV_3X3}])


def test_published_numbers() -> None:
    """Dong and Yang, ICLR 2020: the benchmark's own flop and params of the cell of 3x3 convolutions."""
    counts = count(NASBench201().parse(ALL_CONV_3X3).network).whole
    assert counts.macs == 220_119_680
    assert counts.params == 1_531_546


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("three nodes", "|none~0|"),
        ("node 2 of .* needs 2 edges, has 1", "|none~0|+|none~0|+|none~0|none~1|none~2|"),
        ("operation~1 expected", "|none~0|+|none~0|none~0|+|none~0|none~1|none~2|"),
        ("operation one of none, skip_connect", "|conv~0|+|none~0|none~1|+|none~0|none~1|none~2|"),
    ],
)
def test_malformed_strings(message: str, text: str) -> None:
    with pytest.raises(ValueError, match=message):
        NASBench201().parse(text)


def test_a_cell_that_passes_nothing_on() -> None:
    network = NASBench201(cells=2).parse("|nor_conv_3x3~0|+|none~0|none~1|+|none~0|none~1|none~2|").network
    counts = count(network)
    assert counts.live.macs == 0
    assert counts.whole.macs > 0
    assert network.outputs[0].shape == (10,)


def test_a_cell_that_is_a_wire() -> None:
    network = NASBench201(cells=2).parse("|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|").network
    assert not any("cell" in layer.name and layer.op == "Conv" for layer in network.layers)


def _plain_cell(b: Builder, x: Value, operations: Sequence[str]) -> Value:
    """The cell as the paper defines it, edge by edge."""
    nodes = [x]
    edges = iter(operations)
    for _ in range(1, 4):
        results = [_plain_edge(b, source, next(edges)) for source in nodes]
        present = [result for result in results if result is not None]
        nodes.append(b.add(*present) if present else b.zeros(*x.shape))
    return nodes[-1]


def _plain_edge(b: Builder, x: Value, operation: str) -> Value | None:
    if operation == "none":
        return None
    if operation == "skip_connect":
        return x
    if operation == "avg_pool_3x3":
        return b.average_pool(x, kernel=3)
    kernel = 3 if operation == "nor_conv_3x3" else 1
    return b.batch_norm(b.conv(b.relu(x), x.shape[0], kernel=kernel))


def _plain_reduction(b: Builder, x: Value) -> Value:
    y, c = x, 2 * x.shape[0]
    for stride in (2, 1):
        y = b.batch_norm(b.conv(b.relu(y), c, kernel=3, stride=stride))
    return b.add(y, b.conv(b.average_pool(x, kernel=2, stride=2), c))


def _plain_network(operations: Sequence[str]) -> Network:
    b = Builder()
    x = b.batch_norm(b.conv(b.input(3, 8, 8), 4, kernel=3))
    for stage in range(3):
        x = _plain_reduction(b, x) if stage else x
        for _ in range(2):
            x = _plain_cell(b, x, operations)
    return b.build(b.linear(b.global_average_pool(b.relu(b.batch_norm(x))), 10))


@given(st.integers(0, 5**6 - 1))
@example(5**5 + 5**3 + 1)  # skips alone: the cell is no layer at all
@example(0)
@settings(max_examples=40)
def test_the_network_is_the_one_that_the_paper_describes(index: int) -> None:
    space = NASBench201(channels=4, cells=2, resolution=8)
    encoding = [index // 5**place % 5 for place in reversed(range(6))]
    architecture = space.from_encoding(encoding)
    assert architecture.network.key == _plain_network(list(architecture.values())).key


def test_a_cell_of_skips_alone_is_no_block() -> None:
    text = "|skip_connect~0|+|none~0|skip_connect~1|+|none~0|none~1|skip_connect~2|"
    network = NASBench201().parse(text).network
    assert [item.name for item in network.items] == ["stem", "stage1.reduction", "stage2.reduction", "head"]


def test_parameters_are_named_by_stage_cell_and_edge() -> None:
    names = NASBench201(cells=1).parse(ALL_CONV_3X3).network.parameters
    assert {"stage0.cell0.edge0_1.conv.weight", "stage2.cell0.edge2_3.bn.weight"} <= names.keys()
