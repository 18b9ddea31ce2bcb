"""NAS-Bench-201 (Dong and Yang, ICLR 2020): a cell of 4 nodes with 5 operations on each of its 6 edges."""

from __future__ import annotations

import re
from collections.abc import Hashable
from functools import lru_cache

from hwnas.network.assembly import fill, join_parts
from hwnas.network.builder import Builder
from hwnas.network.network import Block, Network, Value
from hwnas.spaces.architecture import Architecture
from hwnas.spaces.mixtures import candidate_network, edge_mixtures, groups_of
from hwnas.spaces.space import SearchSpace
from hwnas.spaces.supernetwork import Supernetwork

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = ("0→1", "0→2", "1→2", "0→3", "1→3", "2→3")
EDGE_BLOCKS = {f"edge{edge.replace('→', '_')}": edge for edge in EDGES}
_TOKEN = re.compile(r"^([a-z0-9_]+)~([0-2])$")


class NASBench201(SearchSpace):
    """The benchmark's cells in the benchmark's own skeleton.

    A 3×3 stem of C channels, three stages of N cells with C, 2C and 4C channels, a residual block of
    stride 2 between stages, then batch normalisation, ReLU, global pooling and a classifier.
    Batch normalisation is affine and convolutions have no bias.

    Architectures print and parse as the benchmark's strings:
    `|nor_conv_3x3~0|+|none~0|skip_connect~1|+|...|`. A `none` edge contributes no layer; a node that no
    edge feeds is a constant zero, and what hangs on it alone is dead.
    """

    name = "nasbench201"

    def __init__(
        self, *, channels: int = 16, cells: int = 5, classes: int = 10, resolution: int = 32
    ) -> None:
        _require_positive(channels=channels, cells=cells, classes=classes, resolution=resolution)
        self.channels, self.cells, self.classes, self.resolution = channels, cells, classes, resolution
        self.decisions = dict.fromkeys(EDGES, OPERATIONS)

    def identity(self) -> Hashable:
        """The skeleton's settings."""
        return tuple(self.settings().values())

    def settings(self) -> dict[str, object]:
        """The skeleton's settings, as keyword arguments."""
        return {
            "channels": self.channels,
            "cells": self.cells,
            "classes": self.classes,
            "resolution": self.resolution,
        }

    def network(self, architecture: Architecture) -> Network:
        """The full network of N cells per stage."""
        a, b, c, d, e, f = architecture.encoding
        nodes = _edges(a), _edges(b, c), _edges(d, e, f)
        cells = 0 if all(_is_one_skip(edges) for edges in nodes) else self.cells
        skeleton, slots = _skeleton(self.channels, cells, self.classes, self.resolution)
        return fill(skeleton, {slot: _cell(slot.inputs[0], nodes) for slot in slots})

    def supernetwork(self) -> Supernetwork:
        """Six groups that all cells share, one for each edge; each edge of a cell is a mixture."""
        skeleton = self.architecture(**dict.fromkeys(EDGES, "nor_conv_3x3")).network
        mixtures = edge_mixtures(skeleton, lambda path: EDGE_BLOCKS.get(path.rpartition(".")[2]), _candidates)
        return Supernetwork(self, skeleton, groups_of(self), mixtures)

    def format(self, architecture: Architecture) -> str:
        """The benchmark's architecture string."""
        names = [OPERATIONS[index] for index in architecture.encoding]
        return f"|{names[0]}~0|+|{names[1]}~0|{names[2]}~1|+|{names[3]}~0|{names[4]}~1|{names[5]}~2|"

    def parse(self, text: str) -> Architecture:
        """Read a benchmark string; raises ValueError naming the part that is wrong."""
        nodes = text.strip().split("+")
        if len(nodes) != 3:
            raise ValueError(f"{text!r} is no NAS-Bench-201 cell: three nodes joined by '+' expected")
        encoding: list[int] = []
        for node, part in enumerate(nodes, start=1):
            tokens = part.strip("|").split("|")
            if len(tokens) != node:
                raise ValueError(f"node {node} of {text!r} needs {node} edges, has {len(tokens)}")
            for source, token in enumerate(tokens):
                match = _TOKEN.match(token)
                if not match or int(match[2]) != source or match[1] not in OPERATIONS:
                    raise ValueError(
                        f"{token!r} in {text!r}: operation~{source} expected, "
                        f"operation one of {', '.join(OPERATIONS)}"
                    )
                encoding.append(OPERATIONS.index(match[1]))
        return self.from_encoding(encoding)


def _require_positive(**settings: int) -> None:
    for name, value in settings.items():
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} must be a whole number of at least 1, not {value!r}")


def _stem(b: Builder, x: Value, *, channels: int) -> Value:
    return b.batch_norm(b.conv(x, channels, kernel=3))


def _relu_conv_bn(b: Builder, x: Value, *, channels: int, kernel: int, stride: int = 1) -> Value:
    return b.batch_norm(b.conv(b.relu(x), channels, kernel=kernel, stride=stride))


def _average_pool(b: Builder, x: Value) -> Value:
    return b.average_pool(x, kernel=3)


Edges = tuple[tuple[int, str], ...]
"""What enters a node: the nodes that it comes from, each with an operation; `none` is left out."""


@lru_cache(maxsize=256)
def _edges(*choices: int) -> Edges:
    edges = [(source, OPERATIONS[choice]) for source, choice in enumerate(choices)]
    return tuple([edge for edge in edges if edge[1] != "none"])


def _is_one_skip(edges: Edges) -> bool:
    return len(edges) == 1 and edges[0][1] == "skip_connect"


@lru_cache(maxsize=64)
def _skeleton(
    channels: int, cells: int, classes: int, resolution: int
) -> tuple[Network, tuple[Network, ...]]:
    """The network with placeholders for the cells, and the placeholder of each stage."""
    b = Builder()
    x = b.input(3, resolution, resolution)
    x = b.block("stem", _stem, x, channels=channels)
    for stage in range(3):
        if stage:
            x = b.block(f"stage{stage}.reduction", _reduction, x)
        for cell in range(cells):
            x = b.block(f"stage{stage}.cell{cell}", _placeholder, x)
    network = b.build(b.block("head", _head, x, classes=classes))
    slots = [item.network for item in network.items if isinstance(item, Block) and ".cell" in item.name]
    return network, tuple(dict.fromkeys(slots))


def _placeholder(b: Builder, x: Value) -> Value:
    return b.relu(x)


def _cell(x: Value, nodes: tuple[Edges, ...]) -> Network:
    # [c, h, w] -> [c, h, w]; node i is the sum of its edges from nodes 0 .. i-1
    values = [x]
    parts: tuple[Block, ...] = ()
    for edges in nodes:
        sources = tuple([values[source] for source, _ in edges])
        part, value = _node(len(values), x, sources, edges)
        parts += part
        values.append(value)
    return join_parts(x, value, parts)


@lru_cache(maxsize=1 << 14)
def _node(node: int, x: Value, sources: tuple[Value, ...], edges: Edges) -> tuple[tuple[Block, ...], Value]:
    """What computes a node of a cell on `x` (nothing where it is one skip), and its value."""
    b = Builder()
    name = f"node{node}"
    results = [
        _edge(b, source, operation, f"edge{index}_{node}")
        for source, (index, operation) in zip(sources, edges, strict=True)
    ]
    value = b.add(*results, name=name) if results else b.zeros(*x.shape, name=name)
    items = b.build(value).items
    if not items:
        return (), value
    if len(items) == 1:  # one name whatever the operation, so that few nodes differ in their sources
        value = Value(name, x.shape)
        items = (items[0]._replace(outputs=(value,)),)
    inputs = tuple(dict.fromkeys(sources))
    part = Network(inputs, (value,), items, {})
    return (Block(name, part, tuple([source.name for source in inputs]), (value,)),), value


def _edge(b: Builder, x: Value, operation: str, name: str) -> Value:
    if operation == "skip_connect":
        return x
    if operation == "avg_pool_3x3":
        pooled: Value = b.block(name, _average_pool, x)
        return pooled
    kernel = 3 if operation == "nor_conv_3x3" else 1
    convolved: Value = b.block(name, _relu_conv_bn, x, channels=x.shape[0], kernel=kernel)
    return convolved


def _candidates(edge: Network) -> list[Network | None]:
    shape = edge.inputs[0].shape
    networks = [candidate_network(shape, _edge, operation=name, name="edge") for name in OPERATIONS[1:]]
    return [None, *networks]


def _reduction(b: Builder, x: Value) -> Value:
    # [c, h, w] -> [2c, h/2, w/2]: ResNet's basic block with a pooled shortcut
    channels = 2 * x.shape[0]
    y = _relu_conv_bn(b, x, channels=channels, kernel=3, stride=2)
    y = _relu_conv_bn(b, y, channels=channels, kernel=3)
    shortcut = b.conv(b.average_pool(x, kernel=2, stride=2), channels, name="shortcut")
    return b.add(y, shortcut)


def _head(b: Builder, x: Value, *, classes: int) -> Value:
    x = b.relu(b.batch_norm(x))
    return b.linear(b.global_average_pool(x), classes)
