"""The blocks that NAS-Bench-101's networks are made of (Ying et al., ICML 2019, figure 1)."""

from __future__ import annotations

from hwnas.network.builder import Builder
from hwnas.network.network import Value
from hwnas.spaces.nasbench101_cell import Cell, vertex_channels


def conv_bn_relu(b: Builder, x: Value, *, channels: int, kernel: int) -> Value:
    """`[c, h, w] -> [channels, h, w]`."""
    return b.relu(b.batch_norm(b.conv(x, channels, kernel=kernel)))


def _max_pool(b: Builder, x: Value) -> Value:
    return b.max_pool(x, kernel=3)


def downsample(b: Builder, x: Value) -> Value:
    """Max pooling of stride 2: `[c, h, w] -> [c, ceil(h/2), ceil(w/2)]`."""
    return b.layer("MaxPool", x, name="max_pool", kernel_shape=(2, 2), strides=(2, 2), auto_pad="SAME_UPPER")


def cell_block(b: Builder, x: Value, *, cell: Cell, channels: int) -> Value:
    """The vertices of a pruned cell: `[c, h, w] -> [channels, h, w]`."""
    widths = vertex_channels(cell, x.shape[0], channels)
    values = [x]
    for vertex in range(1, cell.output):
        entering = [_first(b, values[source], widths[vertex]) for source in cell.sources[vertex] if source]
        if 0 in cell.sources[vertex]:
            entering.append(_projected(b, x, widths[vertex], vertex))
        values.append(_operation(b, b.add(*entering), cell.operations[vertex - 1], vertex))
    last = [values[source] for source in cell.sources[-1] if source]
    result = [b.concat(*last) if len(last) > 1 else last[0]] if last else []
    if 0 in cell.sources[-1]:
        result.append(_projected(b, x, channels, cell.output))
    return b.add(*result)


def _operation(b: Builder, x: Value, operation: str, vertex: int) -> Value:
    name = f"vertex{vertex}"
    if operation == "maxpool3x3":
        pooled: Value = b.block(name, _max_pool, x)
        return pooled
    kernel = 3 if operation == "conv3x3-bn-relu" else 1
    convolved: Value = b.block(name, conv_bn_relu, x, channels=x.shape[0], kernel=kernel)
    return convolved


def _projected(b: Builder, x: Value, channels: int, vertex: int) -> Value:
    projected: Value = b.block(f"projection{vertex}", conv_bn_relu, x, channels=channels, kernel=1)
    return projected


def _first(b: Builder, x: Value, channels: int) -> Value:
    """The first channels of `x`, which has at most one more than the vertex that it enters."""
    if x.shape[0] == channels:
        return x
    return b.layer("Slice", x, starts=(0,), ends=(channels,), axes=(1,))


def head(b: Builder, x: Value, *, classes: int) -> Value:
    """Global pooling and a classifier: `[c, h, w] -> [classes]`."""
    return b.linear(b.global_average_pool(x), classes)
