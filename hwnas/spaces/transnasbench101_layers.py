"""The blocks that TransNAS-Bench-101's networks are made of."""

from __future__ import annotations

from hwnas.network.builder import Builder
from hwnas.network.network import Value
from hwnas.spaces.darts_layers import factorized_reduce


def stem(b: Builder, x: Value, *, channels: int) -> Value:
    """Two 3×3 convolutions of stride 2: `[3, h, w] -> [channels, h/4, w/4]`."""
    x = b.batch_norm(b.conv(x, channels // 2, kernel=3, stride=2))
    return _relu_conv_bn(b, x, channels=channels, kernel=3, stride=2)


def _relu_conv_bn(b: Builder, x: Value, *, channels: int, kernel: int, stride: int = 1) -> Value:
    # [c, h, w] -> [channels, h/stride, w/stride]
    return b.batch_norm(b.conv(b.relu(x), channels, kernel=kernel, stride=stride))


def cell_block(b: Builder, x: Value, *, channels: int, stride: int, operations: tuple[str, ...]) -> Value:
    """A micro cell, whose node i is the sum of its edges from nodes 0 .. i-1.

    `[c, h, w] -> [channels, h/stride, w/stride]`
    """
    nodes = [x]
    edges = iter(operations)
    for node in range(1, 4):
        present = [
            edge(
                b,
                nodes[source],
                operation=operation,
                name=f"edge{source}_{node}",
                channels=channels,
                stride=1 if source else stride,
            )
            for source in range(node)
            if (operation := next(edges)) != "none"
        ]
        shape = [channels, *(size // stride for size in x.shape[1:])]
        nodes.append(b.add(*present) if present else b.zeros(*shape))
    return nodes[-1]


def edge(b: Builder, x: Value, *, operation: str, name: str, channels: int, stride: int) -> Value:
    """An operation other than `none`: `[c, h, w] -> [channels, h/stride, w/stride]`."""
    result: Value = x
    if operation != "skip_connect":
        kernel = 3 if operation == "nor_conv_3x3" else 1
        result = b.block(name, _relu_conv_bn, x, channels=channels, kernel=kernel, stride=stride)
    elif stride > 1:
        result = b.block(name, factorized_reduce, x, channels=channels)
    return result


def residual_block(b: Builder, x: Value, *, channels: int, stride: int) -> Value:
    """ResNet's basic block, ReLU first: `[c, h, w] -> [channels, h/stride, w/stride]`."""
    y = _relu_conv_bn(b, x, channels=channels, kernel=3, stride=stride)
    y = _relu_conv_bn(b, y, channels=channels, kernel=3)
    if stride == 1 and channels == x.shape[0]:
        return b.add(x, y)
    return b.add(b.batch_norm(b.conv(x, channels, stride=stride, name="shortcut"), name="shortcut_bn"), y)


def head(b: Builder, x: Value, *, classes: int) -> Value:
    """Global pooling and a classifier: `[c, h, w] -> [classes]`."""
    return b.linear(b.global_average_pool(x), classes)
