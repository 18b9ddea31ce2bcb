"""Random small networks, and networks with their layers renamed and reordered."""

import random

from hypothesis import strategies as st

from hwnas.network import Builder, Layer, Network, Parameter, Value
from hwnas.network.network import Shape

UNARY = ("Relu", "Sigmoid", "HardSwish", "Tanh", "Softplus", "Neg", "Elu")


def random_network(generator: random.Random, *, layers: int = 8) -> Network:
    """A network whose layers read any earlier values of fitting shape, dead ends and blocks included."""
    b = Builder()
    values = [b.input(generator.choice([2, 4]), 6, 5)]
    if generator.random() < 0.3:
        values.append(b.input(*values[0].shape))
    for _ in range(layers):
        values.append(_grown(b, generator, values))
    outputs = generator.sample(values[-3:], generator.choice([1, 1, 2]))
    return b.build(*outputs)


def _grown(b: Builder, g: random.Random, values: list[Value]) -> Value:
    x = g.choice(values[-4:])
    same = [v for v in values if v.shape == x.shape]
    alike = [v for v in values if v.shape[1:] == x.shape[1:]]
    if len(x.shape) < 3:
        return g.choice([lambda: b.relu(x), lambda: b.linear(x, 3), lambda: b.add(x, g.choice(same))])()
    c, h, w = x.shape
    choices = [
        lambda: b.conv(x, g.choice([2, 4]), kernel=g.choice([1, 3]), bias=g.random() < 0.3),
        lambda: b.depthwise(x, kernel=3, stride=g.choice([1, 2])),
        lambda: b.batch_norm(x),
        lambda: b.layer(g.choice(UNARY), x),
        lambda: b.relu6(x),
        lambda: b.add(x, g.choice(same)),
        lambda: b.layer("Sub", x, g.choice(same)),
        lambda: b.multiply(x, g.choice(same)),
        lambda: b.concat(x, g.choice(alike)),
        lambda: b.average_pool(x, kernel=3),
        lambda: b.max_pool(x, kernel=2) if min(h, w) > 1 else b.relu(x),
        lambda: b.block("part", _part, x, channels=g.choice([2, 4])),
        lambda: b.add(x, b.zeros(*x.shape)),
        lambda: b.global_average_pool(x),
        lambda: b.layers("Split", x, axis=1, split=(1, c - 1))[g.randrange(2)] if c > 1 else b.relu(x),
        lambda: b.layer("Mul", x, b.parameter("scale", (), constant=(g.choice([0.5, 2.0]),))),
    ]
    return g.choice(choices)()


def _part(b: Builder, x: Value, *, channels: int) -> Value:
    y = b.block("inner", _inner, x)
    return b.conv(b.add(x, y), channels)


def _inner(b: Builder, x: Value) -> Value:
    return b.relu(b.batch_norm(x))


def networks(layers: int = 8) -> st.SearchStrategy[Network]:
    return st.integers(0, 2**32 - 1).map(lambda seed: random_network(random.Random(seed), layers=layers))


def disguised(network: Network, generator: random.Random) -> Network:
    """The same network flat, with other names, another order, and the operands of sums swapped."""
    labels = list(range(len(network.values) + len(network.parameters)))
    generator.shuffle(labels)
    names = dict(zip([*network.values, *network.parameters], (f"n{label}" for label in labels), strict=True))
    layers = [_renamed(layer, names, generator) for layer in _reordered(network, generator)]
    parameters = [
        Parameter(names[p.name], p.shape, p.trainable, p.constant) for p in network.parameters.values()
    ]
    generator.shuffle(parameters)
    return Network(
        tuple(Value(names[v.name], v.shape) for v in network.inputs),
        tuple(Value(names[v.name], v.shape) for v in network.flat_outputs),
        tuple(layers),
        {p.name: p for p in parameters},
    )


def _reordered(network: Network, generator: random.Random) -> list[Layer]:
    ready = {v.name for v in network.inputs} | set(network.parameters) | {""}
    waiting, order = list(network.layers), []
    while waiting:
        layer = generator.choice([layer for layer in waiting if ready.issuperset(layer.inputs)])
        waiting.remove(layer)
        order.append(layer)
        ready.update(v.name for v in layer.outputs)
    return order


def _renamed(layer: Layer, names: dict[str, str], generator: random.Random) -> Layer:
    inputs = [names.get(name, "") for name in layer.inputs]
    if layer.op in ("Add", "Mul", "Sum", "Max", "Min", "Mean"):
        generator.shuffle(inputs)
    outputs = tuple(Value(names[v.name], v.shape) for v in layer.outputs)
    shuffled = list(layer.attributes.items())
    generator.shuffle(shuffled)
    return Layer(f"layer_{names[layer.output.name]}", layer.op, tuple(inputs), outputs, dict(shuffled))


def replaced(network: Network, index: int, **changes: object) -> Network:
    """The flat network with fields of one layer changed."""
    layers = list(network.layers)
    layers[index] = layers[index]._replace(**changes)
    return Network(network.inputs, network.flat_outputs, tuple(layers), network.parameters)


def shapes_of(values: tuple[Value, ...]) -> list[Shape]:
    return [value.shape for value in values]
