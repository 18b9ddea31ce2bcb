"""DARTS (Liu, Simonyan and Yang, ICLR 2019): a normal and a reduction cell of four nodes with two inputs."""

from __future__ import annotations

from collections.abc import Hashable
from itertools import combinations

from hwnas.network.builder import BlockFunction, Builder
from hwnas.network.network import Network, Value
from hwnas.spaces.architecture import Architecture
from hwnas.spaces.darts_genotype import NODES, OPERATIONS, Cell, Edge, Genotype, Node, parse_genotype
from hwnas.spaces.space import SearchSpace

STEM_MULTIPLIER = 3
PAIRS = {node: tuple(combinations(range(node), 2)) for node in NODES}


class DARTS(SearchSpace):
    """DARTS's cells in its network for CIFAR, without auxiliary head and drop path.

    A 3×3 stem of 3C channels, then `layers` cells; those at a third and at two thirds are reduction cells,
    of stride 2 and twice the channels; then global pooling and a classifier. A cell brings the outputs of
    the two cells before it to its own channels, and puts its four nodes together as channels.

    Decisions of node i (2 to 5) of each cell: `normal_i_inputs`, the pair of its inputs, and
    `normal_i_first` and `normal_i_second`, the operations on the lower and the higher of them; so too for
    `reduce`. As in NAS-Bench-301 (Zela et al., 2022) no edge of an architecture is `none`. Each cell has
    prod_{k=1..4} (k+1)k/2 · 7² = 1,037,664,180 forms (Liu et al., appendix).

    Architectures print and parse as genotypes, see `hwnas.spaces.darts_genotype`.

    Args:
        channels: C, of the first cells' nodes: 36 in DARTS's evaluation, 32 in NAS-Bench-301.
        layers: number of cells: 20 in DARTS's evaluation, 8 in NAS-Bench-301.
        classes: number of classes.
        resolution: input height and width in pixels, a multiple of 4.
    """

    name = "darts"

    def __init__(
        self, *, channels: int = 36, layers: int = 20, classes: int = 10, resolution: int = 32
    ) -> None:
        self.channels, self.layers, self.classes, self.resolution = channels, layers, classes, resolution
        for name, value in self.settings().items():
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} must be a whole number of at least 1, not {value!r}")
        if resolution % 4:
            raise ValueError(f"resolution must be a multiple of 4, to be halved twice, not {resolution}")
        self.decisions = {
            f"{kind}_{node}_{part}": choices
            for kind in Genotype._fields
            for node in NODES
            for part, choices in (
                ("inputs", PAIRS[node]),
                ("first", OPERATIONS),
                ("second", OPERATIONS),
            )
        }

    def identity(self) -> Hashable:
        """The skeleton's settings."""
        return tuple(self.settings().values())

    def settings(self) -> dict[str, object]:
        """The skeleton's settings, as keyword arguments."""
        return {
            "channels": self.channels,
            "layers": self.layers,
            "classes": self.classes,
            "resolution": self.resolution,
        }

    def genotype(self, architecture: Architecture) -> Genotype:
        """The cells of `architecture`."""
        indices = iter(architecture.encoding)
        cells = [
            tuple(_node(node, next(indices), next(indices), next(indices)) for node in NODES)
            for _ in Genotype._fields
        ]
        return Genotype(*cells)

    def format(self, architecture: Architecture) -> str:
        """The genotype of `architecture`, each node's edges in the order of their inputs."""
        return str(self.genotype(architecture))

    def parse(self, text: str) -> Architecture:
        """Read a genotype; raises ValueError naming the part that is wrong."""
        encoding: list[int] = []
        for cell in parse_genotype(text):
            for node, edges in zip(NODES, cell, strict=True):
                first, second = edges
                encoding.append(PAIRS[node].index((first.input, second.input)))
                encoding += [OPERATIONS.index(edge.operation) for edge in edges]
        return self.from_encoding(encoding)

    def network(self, architecture: Architecture) -> Network:
        """Stem, cells, head."""
        genotype = self.genotype(architecture)
        reductions = {self.layers // 3, 2 * self.layers // 3}
        b = Builder()
        x = b.input(3, self.resolution, self.resolution)
        before = last = b.block("stem", _stem, x, channels=STEM_MULTIPLIER * self.channels)
        channels = self.channels
        for layer in range(self.layers):
            reduction = layer in reductions
            channels *= 2 if reduction else 1
            cell = genotype.reduce if reduction else genotype.normal
            output = b.block(
                f"cell{layer}", _cell, before, last, cell=cell, channels=channels, reduction=reduction
            )
            before, last = last, output
        return b.build(b.block("head", _head, last, classes=self.classes))


def _node(node: int, pair: int, first: int, second: int) -> Node:
    low, high = PAIRS[node][pair]
    return Edge(OPERATIONS[first], low), Edge(OPERATIONS[second], high)


def _stem(b: Builder, x: Value, *, channels: int) -> Value:
    return b.batch_norm(b.conv(x, channels, kernel=3))


def _head(b: Builder, x: Value, *, classes: int) -> Value:
    return b.linear(b.global_average_pool(x), classes)


def _cell(b: Builder, before: Value, last: Value, *, cell: Cell, channels: int, reduction: bool) -> Value:
    # [c0, h0, w0], [c1, h, w] -> [4 channels, h/s, w/s], s = 2 for a reduction cell; h0 = 2h after one
    halved = before.shape[1] > last.shape[1]
    fit_before = factorized_reduce if halved else relu_conv_bn
    values = [
        b.block("preprocess0", fit_before, before, channels=channels),
        b.block("preprocess1", relu_conv_bn, last, channels=channels),
    ]
    for node, edges in zip(NODES, cell, strict=True):
        first, second = (
            _edge(
                b,
                values[source],
                operation,
                stride=2 if reduction and source < 2 else 1,
                name=f"edge{source}_{node}",
            )
            for operation, source in edges
        )
        values.append(b.add(first, second))
    return b.concat(*values[2:])


def _edge(b: Builder, x: Value, operation: str, *, stride: int, name: str) -> Value:
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
