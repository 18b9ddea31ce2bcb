"""NAS-Bench-201 (Dong and Yang, ICLR 2020): a cell of 4 nodes with 5 operations on each of its 6 edges."""

from __future__ import annotations

import re
from collections.abc import Hashable

from hwnas.network.builder import Builder
from hwnas.network.network import Network, Value
from hwnas.spaces.architecture import Architecture
from hwnas.spaces.space import SearchSpace

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = ("0→1", "0→2", "1→2", "0→3", "1→3", "2→3")
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
        operations = tuple(OPERATIONS[index] for index in architecture.encoding)
        b = Builder()
        x = b.input(3, self.resolution, self.resolution)
        x = b.block("stem", _stem, x, channels=self.channels)
        for stage in range(3):
            if stage:
                x = b.block(f"stage{stage}.reduction", _reduction, x)
            for cell in range(self.cells):
                x = b.block(f"stage{stage}.cell{cell}", _cell, x, operations=operations)
        return b.build(b.block("head", _head, x, classes=self.classes))

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


def _edge(b: Builder, x: Value, operation: str, name: str) -> Value | None:
    """The operation of one edge on `x`; nothing for `none`."""
    if operation == "none":
        return None
    if operation == "skip_connect":
        return x
    if operation == "avg_pool_3x3":
        return _value(b.block(name, _average_pool, x))
    kernel = 3 if operation == "nor_conv_3x3" else 1
    return _value(b.block(name, _relu_conv_bn, x, channels=x.shape[0], kernel=kernel))


def _value(value: Value) -> Value:
    return value


def _cell(b: Builder, x: Value, *, operations: tuple[str, ...]) -> Value:
    # [c, h, w] -> [c, h, w]; node i is the sum of its edges from nodes 0 .. i-1
    nodes = [x]
    edges = iter(operations)
    for node in range(1, 4):
        results = [_edge(b, nodes[source], next(edges), f"edge{source}_{node}") for source in range(node)]
        present = [result for result in results if result is not None]
        nodes.append(b.add(*present) if present else b.zeros(*x.shape))
    return nodes[-1]


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
