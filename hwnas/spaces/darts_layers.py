"""The blocks that DARTS's networks are made of (Liu, Simonyan and Yang, ICLR 2019)."""

from __future__ import annotations

from hwnas.network.builder import BlockFunction, Builder
from hwnas.network.network import Value
from hwnas.spaces.darts_genotype import NODES, Edge

Edges = tuple[tuple[Edge, ...], ...]
"""What enters each node of a cell, any number of edges; in the order of NODES."""


def stem(b: Builder, x: Value, *, channels: int) -> Value:
    """A 3×3 convolution: `[3, h, w] -> [channels, h, w]`."""
    return b.batch_norm(b.conv(x, channels, kernel=3))


def head(b: Builder, x: Value, *, classes: int) -> Value:
    """Global pooling and a classifier: `[c, h, w] -> [classes]`."""
    return b.linear(b.global_average_pool(x), classes)


def cell_block(
    b: Builder, before: Value, last: Value, *, cell: Edges, channels: int, reduction: bool
) -> Value:
    """The nodes of a cell, put together as channels; s is 2 for a reduction cell, h0 is 2h after one.

    `[c0, h0, w0], [c1, h, w] -> [4 channels, h/s, w/s]`
    """
    halved = before.shape[1] > last.shape[1]
    fit_before = factorized_reduce if halved else relu_conv_bn
    values = [
        b.block("preprocess0", fit_before, before, channels=channels),
        b.block("preprocess1", relu_conv_bn, last, channels=channels),
    ]
    for node, edges in zip(NODES, cell, strict=True):
        results = [
            edge(
                b,
                values[source],
                operation=operation,
                stride=2 if reduction and source < 2 else 1,
                name=f"edge{source}_{node}",
            )
            for operation, source in edges
        ]
        values.append(b.add(*results))
    return b.concat(*values[2:])


def edge(b: Builder, x: Value, *, operation: str, stride: int, name: str) -> Value:
    """An operation: `[c, h, w] -> [c, h/stride, w/stride]`."""
    if operation == "skip_connect" and stride == 1:
        return x
    functions: dict[str, tuple[BlockFunction, dict[str, int]]] = {
        "max_pool_3x3": (_max_pool, {"stride": stride}),
        "avg_pool_3x3": (_average_pool, {"stride": stride}),
        "skip_connect": (factorized_reduce, {"channels": x.shape[0]}),
        "sep_conv_3x3": (separable_conv, {"kernel": 3, "stride": stride}),
        "sep_conv_5x5": (separable_conv, {"kernel": 5, "stride": stride}),
        "dil_conv_3x3": (dilated_conv, {"kernel": 3, "stride": stride}),
        "dil_conv_5x5": (dilated_conv, {"kernel": 5, "stride": stride}),
    }
    function, settings = functions[operation]
    result: Value = b.block(name, function, x, **settings)
    return result


def _max_pool(b: Builder, x: Value, *, stride: int) -> Value:
    return b.max_pool(x, kernel=3, stride=stride)


def _average_pool(b: Builder, x: Value, *, stride: int) -> Value:
    return b.average_pool(x, kernel=3, stride=stride)


def relu_conv_bn(b: Builder, x: Value, *, channels: int) -> Value:
    """A 1×1 convolution: `[c, h, w] -> [channels, h, w]`."""
    return b.batch_norm(b.conv(b.relu(x), channels))


def factorized_reduce(b: Builder, x: Value, *, channels: int) -> Value:
    """Two 1×1 convolutions of stride 2, the second on the input shifted by a pixel both ways.

    `[c, h, w] -> [channels, h/2, w/2]`, for even channels, h and w.
    """
    x = b.relu(x)
    _, height, width = x.shape
    shifted = b.layer("Slice", x, axes=(2, 3), starts=(1, 1), ends=(height, width))
    halves = [b.conv(value, channels // 2, stride=2) for value in (x, shifted)]
    return b.batch_norm(b.concat(*halves))


def separable_conv(b: Builder, x: Value, *, kernel: int, stride: int) -> Value:
    """Twice a depthwise and a 1×1 convolution, the stride in the first: `[c, h, w] -> [c, h/s, w/s]`."""
    for step in (stride, 1):
        x = b.depthwise(b.relu(x), kernel=kernel, stride=step)
        x = b.batch_norm(b.conv(x, x.shape[0]))
    return x


def dilated_conv(b: Builder, x: Value, *, kernel: int, stride: int) -> Value:
    """A depthwise convolution of dilation 2 and a 1×1 convolution: `[c, h, w] -> [c, h/s, w/s]`."""
    c = x.shape[0]
    x = b.conv(b.relu(x), c, kernel=kernel, stride=stride, dilation=2, groups=c, name="depthwise")
    return b.batch_norm(b.conv(x, c))
