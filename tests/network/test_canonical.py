import random
import subprocess
import sys

import pytest

from hwnas.network import Builder, Network, Value
from hwnas.spaces import MobileNetV2, NASBench201

from .random_networks import disguised, random_network, replaced


def simple(**changes: object) -> Network:
    settings = {
        "kernel": 3,
        "stride": 1,
        "constant": 2.0,
        "shared": False,
        "swap": False,
        "trainable": True,
        **changes,
    }
    b = Builder()
    x, y = b.input(4, 8, 8), b.input(4, 8, 8)
    w1 = b.parameter("a", (4, 4, 3, 3), trainable=settings["trainable"])
    w2 = w1 if settings["shared"] else b.parameter("b", (4, 4, 3, 3))
    pads = {"pads": (1, 1, 1, 1)}
    left = b.layer("Conv", x, w1, **pads)
    right = b.layer("Conv", y, w2, **pads)
    left, right = (right, left) if settings["swap"] else (left, right)
    z = b.layer("Sub", left, right)
    z = b.conv(z, 4, kernel=settings["kernel"], stride=settings["stride"])
    return b.build(b.layer("Mul", z, b.parameter("c", (), constant=(settings["constant"],))))


@pytest.mark.parametrize(
    "change",
    [{"kernel": 5}, {"stride": 2}, {"constant": 2.5}, {"shared": True}, {"swap": True}, {"trainable": False}],
    ids=str,
)
def test_networks_that_differ_have_different_keys(change: dict[str, object]) -> None:
    assert simple(**change).key != simple().key
    assert simple(**change).key == simple(**change).key


def ring(lengths: list[int]) -> Network:
    """Nodes that each sum the convolved values of their two neighbours on rings of these lengths.

    All nodes look alike to their neighbours: only the length of the rings tells them apart.
    """
    b = Builder()
    x = b.input(2, 4, 4)
    sums, start = [], 0
    for length in lengths:
        convs = [b.conv(x, 2) for _ in range(length)]
        sums += [b.add(convs[i], convs[(i + 1) % length]) for i in range(length)]
        start += length
    return b.build(b.layer("Max", *sums))


def test_rings_of_different_lengths_differ() -> None:
    six, threes = ring([6]), ring([3, 3])
    assert six.key != threes.key
    for seed in range(5):
        generator = random.Random(seed)
        assert disguised(six, generator).key == six.key
        assert disguised(threes, generator).key == threes.key


def test_every_change_of_wiring_changes_the_key() -> None:
    """Against networkx's own isomorphism test, on random networks and one wire moved in them."""
    import networkx as nx

    compared = 0
    for seed in range(150):
        generator = random.Random(seed)
        network = random_network(generator, layers=10)
        index = generator.randrange(len(network.layers))
        layer = network.layers[index]
        before = {v.name for v in network.inputs}
        before |= {v.name for earlier in network.layers[:index] for v in earlier.outputs}
        wires = [i for i, name in enumerate(layer.inputs) if name in before]
        if not wires:
            continue
        wire = generator.choice(wires)
        shape = network.values[layer.inputs[wire]].shape
        others = [n for n in sorted(before) if network.values[n].shape == shape and n != layer.inputs[wire]]
        if not others:
            continue
        inputs = list(layer.inputs)
        inputs[wire] = generator.choice(others)
        changed = replaced(network, index, inputs=tuple(inputs))
        same = nx.is_isomorphic(_labelled(network), _labelled(changed), _alike, _alike)
        assert (network.key == changed.key) == same
        compared += 1
    assert compared > 60


def _labelled(network: Network) -> object:
    import networkx as nx

    graph = nx.MultiDiGraph()
    for index, value in enumerate(network.inputs):
        graph.add_node(value.name, label=("input", index))
    producer = {value.name: (value.name, 0) for value in network.inputs}
    for layer in network.layers:
        owned = [network.parameters[n] for n in layer.inputs if n in network.parameters]
        kinds = [(p.shape, p.trainable, p.constant) for p in owned]
        graph.add_node(
            layer.name, label=(layer.op, sorted(layer.attributes.items()), kinds, layer.output.shape)
        )
        for slot, name in enumerate(layer.inputs):
            if name in producer:
                source, part = producer[name]
                swaps = layer.op in ("Add", "Mul", "Max")
                graph.add_edge(source, layer.name, label=(0 if swaps else slot, part))
        producer.update((v.name, (layer.name, part)) for part, v in enumerate(layer.outputs))
    for index, value in enumerate(network.flat_outputs):
        graph.add_node(f"out{index}", label=("output", index))
        graph.add_edge(producer[value.name][0], f"out{index}", label=(0, producer[value.name][1]))
    return graph


def _alike(one: dict, other: dict) -> bool:
    if "label" in one:
        return one["label"] == other["label"]
    return sorted(e["label"] for e in one.values()) == sorted(e["label"] for e in other.values())


def test_swapped_operands_of_sums_only() -> None:
    def network(op: str, swap: bool) -> Network:
        b = Builder()
        x = b.input(2, 3, 3)
        pair = [b.relu(x), b.sigmoid(x)]
        return b.build(b.layer(op, *(reversed(pair) if swap else pair)))

    for op in ("Add", "Mul", "Max", "Min", "Sum", "Mean"):
        assert network(op, True).key == network(op, False).key
    for op in ("Sub", "Div", "Pow"):
        assert network(op, True).key != network(op, False).key


def test_blocks_do_not_count() -> None:
    def body(b: Builder, x: Value) -> Value:
        return b.relu(b.conv(x, 4))

    nested, flat = Builder(), Builder()
    x, y = nested.input(4, 5, 5), flat.input(4, 5, 5)
    assert nested.build(nested.block("a", body, nested.block("b", body, x))).key == (
        flat.build(body(flat, body(flat, y))).key
    )


def test_attributes_count_as_float32() -> None:
    def network(alpha: float) -> Network:
        b = Builder()
        return b.build(b.layer("LeakyRelu", b.input(3), alpha=alpha))

    assert network(0.1).key == network(0.10000000149011612).key
    assert network(0.1).key != network(0.1001).key
    assert network(1.0).key == network(1).key


def test_many_equal_branches() -> None:
    b = Builder()
    x = b.input(4, 5, 5)
    branches = [b.relu(b.conv(x, 4)) for _ in range(40)]
    network = b.build(b.add(*branches), b.layer("Sum", *branches))
    assert disguised(network, random.Random(0)).key == network.key


@pytest.mark.parametrize(
    "cell",
    [
        "|avg_pool_3x3~0|+|avg_pool_3x3~0|none~1|+|none~0|none~1|none~2|",
        "|none~0|+|none~0|skip_connect~1|+|none~0|avg_pool_3x3~1|avg_pool_3x3~2|",
    ],
)
def test_equal_parts_that_have_equal_parts(cell: str) -> None:
    """Pairs of pools in each of 15 dead cells: the pairs can be exchanged, and the pools of each."""
    network = NASBench201().parse(cell).network
    for seed in range(3):
        assert disguised(network, random.Random(seed)).key == network.key


def test_distinct_architectures_have_distinct_keys() -> None:
    space = MobileNetV2(resolution=64)
    architectures = space.sample(200, seed=0)
    assert len({a.network.key for a in architectures}) == 200
    cells = NASBench201(cells=1, channels=4)
    twin = cells.parse("|none~0|+|nor_conv_3x3~0|none~1|+|skip_connect~0|none~1|nor_conv_1x1~2|")
    other = cells.parse("|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|nor_conv_1x1~1|none~2|")
    assert twin.network.live.key == other.network.live.key


def test_key_is_the_same_in_another_process() -> None:
    program = "from hwnas.spaces import MobileNetV2; print(MobileNetV2().sample(1, seed=3)[0].network.key)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == MobileNetV2().sample(1, seed=3)[0].network.key
