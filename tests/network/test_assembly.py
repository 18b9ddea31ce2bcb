import pickle
from dataclasses import replace

from hwnas.network import Builder, Network
from hwnas.network.assembly import fill, join_parts
from hwnas.network.network import Block, Value

X = Value("input", (4, 8, 8))


def _conv(b, x, *, kernel):
    return b.conv(x, x.shape[0], kernel=kernel)


def described(kernel):
    b = Builder()
    x = b.block("first", _conv, b.input(*X.shape), kernel=1)
    x = b.block("second", _conv, x, kernel=kernel)
    return b.build(b.relu(b.block("third", _conv, x, kernel=kernel)))


def test_a_filled_skeleton_is_the_network_described_at_once():
    skeleton, wanted = described(3), described(5)
    filled = fill(skeleton, {skeleton.items[1].network: wanted.items[1].network})
    assert filled.key == wanted.key
    assert filled.layers == wanted.layers
    assert filled.parameters == wanted.parameters
    assert filled.items[0] is skeleton.items[0]
    assert skeleton.key == described(3).key


def part(name, source):
    b = Builder()
    value = b.layer("Mul", source, b.parameter(f"{name}.scale", (4, 1, 1)), name=name)
    made = b.build(value)
    return Block(
        name, Network((source,), (value,), made.items, made.own_parameters), (source.name,), (value,)
    )


def test_joined_parts_are_one_network_without_blocks():
    first = part("a", X)
    second = part("b", first.outputs[0])
    joined = join_parts(X, second.outputs[0], (first, second))
    assert [layer.name for layer in joined.items] == ["a", "b"]
    assert [layer.inputs[0] for layer in joined.items] == ["input", "a"]
    assert list(joined.parameters) == ["a.scale", "b.scale"]


def test_copies_are_ordinary_networks():
    skeleton, other = described(3), described(5)
    filled = fill(skeleton, {skeleton.items[1].network: other.items[1].network})
    shorter = replace(filled, outputs=filled.items[1].outputs, items=filled.items[:2])
    assert [layer.op for layer in shorter.layers] == ["Conv", "Conv"]
    copied = pickle.loads(pickle.dumps(filled))
    assert type(copied) is Network
    assert copied.key == filled.key
