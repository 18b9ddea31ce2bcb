"""Random networks of the kinds that microcontrollers run."""

from __future__ import annotations

import random

from hwnas.network.builder import Builder
from hwnas.network.network import Network, Value


def mobile_network(rng: random.Random) -> Network:
    """Inverted residuals of kernels 3, 5 and 7, odd sizes and strides included; some with squeeze-excite."""
    b = Builder()
    size = rng.randint(12, 40)
    x = b.input(3, size, rng.choice((size, size + 3)))
    x = b.relu6(b.batch_norm(b.conv(x, rng.choice((8, 12, 16)), kernel=3, stride=2)))
    for index in range(rng.randint(2, 6)):
        channels = rng.choice((x.shape[0], 8, 12, 20, 24))
        arguments = {
            "channels": channels,
            "kernel": rng.choice((3, 5, 7)),
            "expansion": rng.choice((1, 3, 4, 6)),
            "stride": rng.choice((1, 1, 2)),
            "excites": rng.random() < 0.2,
        }
        x = b.block(f"block{index}", _inverted_residual, x, **arguments)
    x = _pooled(b, rng, x)
    return b.build(b.linear(x, rng.choice((2, 10))))


def _inverted_residual(
    b: Builder, x: Value, *, channels: int, kernel: int, expansion: int, stride: int, excites: bool
) -> Value:
    y = x
    if expansion > 1:
        y = b.relu6(b.batch_norm(b.conv(y, x.shape[0] * expansion)))
    y = b.relu6(b.batch_norm(b.depthwise(y, kernel=kernel, stride=stride)))
    if excites:
        gate = b.relu(b.conv(b.global_average_pool(y), 4, bias=True))
        y = b.multiply(y, b.hard_sigmoid(b.conv(gate, y.shape[0], bias=True)))
    y = b.batch_norm(b.conv(y, channels))
    return b.add(x, y) if y.shape == x.shape else y


def cell_network(rng: random.Random) -> Network:
    """Cells whose nodes add or concatenate earlier ones."""
    b = Builder()
    size = rng.randint(6, 16)
    x = b.relu(b.conv(b.input(3, size, size), rng.choice((4, 8, 10)), kernel=3, bias=True))
    for index in range(rng.randint(1, 3)):
        x = b.block(f"cell{index}", _cell, x, seed=rng.randrange(10**6))
        if rng.random() < 0.4 and x.shape[1] > 3:
            x = b.max_pool(x, kernel=2, stride=2)
        if x.shape[0] > 24:
            x = b.conv(x, 8, bias=True)
    return b.build(b.linear(_pooled(b, rng, x), 10))


def _cell(b: Builder, x: Value, *, seed: int) -> Value:
    rng = random.Random(seed)
    nodes = [x]
    for _ in range(rng.randint(2, 5)):
        parts = [_edge(b, rng, rng.choice(nodes), x.shape[0]) for _ in range(rng.choice((1, 2, 2, 3)))]
        nodes.append(b.add(*parts))
    ends = rng.sample(nodes, rng.randint(1, min(3, len(nodes))))
    return ends[0] if len(ends) == 1 else b.concat(*ends)


def _edge(b: Builder, rng: random.Random, x: Value, channels: int) -> Value:
    choice = rng.randrange(4)
    if choice == 0:
        return b.relu(b.conv(x, channels, kernel=rng.choice((1, 3)), bias=True))
    if choice == 1:
        return b.average_pool(x, kernel=3)
    if choice == 2:
        return b.hard_swish(b.conv(x, channels, kernel=3, bias=True))
    return x


def _pooled(b: Builder, rng: random.Random, x: Value) -> Value:
    if rng.random() < 0.5:
        return b.global_average_pool(x)
    return b.layer("ReduceMean", x, axes=(2, 3), keepdims=0)
