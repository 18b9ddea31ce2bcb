"""DARTS (Liu, Simonyan and Yang, ICLR 2019): a normal and a reduction cell of four nodes with two inputs."""

from __future__ import annotations

from collections.abc import Hashable
from itertools import combinations

from hwnas.network.builder import Builder
from hwnas.network.network import Network
from hwnas.spaces.architecture import Architecture
from hwnas.spaces.darts_genotype import NODES, OPERATIONS, Edge, Genotype, Node, parse_genotype
from hwnas.spaces.darts_layers import Edges, cell_block, head, stem
from hwnas.spaces.darts_supernetwork import DARTSSupernetwork, darts_supernetwork
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
        return self.from_genotype(parse_genotype(text))

    def from_genotype(self, genotype: Genotype) -> Architecture:
        """The architecture of these cells."""
        encoding: list[int] = []
        for cell in genotype:
            for node, edges in zip(NODES, cell, strict=True):
                first, second = edges
                encoding.append(PAIRS[node].index((first.input, second.input)))
                encoding += [OPERATIONS.index(edge.operation) for edge in edges]
        return self.from_encoding(encoding)

    def network(self, architecture: Architecture) -> Network:
        """Stem, cells, head."""
        return self.network_of(*self.genotype(architecture))

    def supernetwork(self) -> DARTSSupernetwork:
        """14 groups for each kind of cell, one for each edge; each edge of a cell is a mixture."""
        return darts_supernetwork(self)

    @property
    def reductions(self) -> set[int]:
        """The numbers of the reduction cells."""
        return {self.layers // 3, 2 * self.layers // 3}

    def network_of(self, normal: Edges, reduce: Edges) -> Network:
        """The network of cells whose nodes may have any number of edges."""
        b = Builder()
        x = b.input(3, self.resolution, self.resolution)
        before = last = b.block("stem", stem, x, channels=STEM_MULTIPLIER * self.channels)
        channels = self.channels
        for layer in range(self.layers):
            reduction = layer in self.reductions
            channels *= 2 if reduction else 1
            cell = reduce if reduction else normal
            output = b.block(
                f"cell{layer}", cell_block, before, last, cell=cell, channels=channels, reduction=reduction
            )
            before, last = last, output
        return b.build(b.block("head", head, last, classes=self.classes))


def _node(node: int, pair: int, first: int, second: int) -> Node:
    low, high = PAIRS[node][pair]
    return Edge(OPERATIONS[first], low), Edge(OPERATIONS[second], high)
