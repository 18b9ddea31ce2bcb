"""NAS-Bench-101 (Ying et al., ICML 2019): cells that are graphs of at most 7 vertices and 9 edges."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from functools import cached_property

from hwnas.network.builder import Builder
from hwnas.network.network import Network
from hwnas.spaces.architecture import Architecture
from hwnas.spaces.nasbench101_cell import (
    MAX_EDGES,
    MAX_VERTICES,
    OPERATIONS,
    Cell,
    canonical,
    module_hash,
)
from hwnas.spaces.nasbench101_layers import cell_block, conv_bn_relu, downsample, head
from hwnas.spaces.nasbench101_text import format_cell, parse_cell
from hwnas.spaces.nasbench101_unique import EDGES, unique_encodings
from hwnas.spaces.space import SearchSpace
from hwnas.spaces.supernetwork import Supernetwork, no_supernetwork

INTERIOR = MAX_VERTICES - 2
VALID_ENCODINGS = 1_538_083 * 3**5  # so many of the 2^21 sets of edges, with any operations


class NASBench101(SearchSpace):
    """The benchmark's cells of at most 7 vertices and 9 edges, in its own skeleton.

    A 3×3 stem, stacks of alike cells with C, 2C and 4C channels, max pooling of stride 2 between stacks,
    then global pooling and a classifier. In a cell a vertex computes its operation on the sum of what
    enters it; what enters the output is concatenated. The cell's input enters through a 1×1 projection
    everywhere, and is added at the output.

    Decisions: the 21 edges `0→1` to `5→6` (0 or 1) of a graph of 7 vertices and the operations `op_1` to
    `op_5`. As in the benchmark, vertices that lie on no path from input (0) to output (6) are pruned, which
    gives the smaller cells; valid is what has a path and at most 9 edges after pruning.

    Many encodings stand for one cell, so `random` is uniform over encodings and not over cells: a cell is
    drawn the more often the more ways there are to write it, and a mutation may leave the cell as it is.
    `unique` goes through the 423,624 cells once each; `canonical` and `module_hash` say whether two
    architectures are the same cell. Networks are built from the canonical cell, so isomorphic
    architectures have the same network.

    Args:
        stem_channels: channels of the stem and of the first stack, at least 4.
        stacks: number of stacks.
        cells: cells in each stack.
        classes: number of classes.
        resolution: input height and width in pixels.
    """

    name = "nasbench101"

    def __init__(
        self,
        *,
        stem_channels: int = 128,
        stacks: int = 3,
        cells: int = 3,
        classes: int = 10,
        resolution: int = 32,
    ) -> None:
        _require(4, stem_channels=stem_channels)
        _require(1, stacks=stacks, cells=cells, classes=classes, resolution=resolution)
        self.stem_channels, self.stacks, self.cells = stem_channels, stacks, cells
        self.classes, self.resolution = classes, resolution
        self.decisions = {f"{source}→{target}": (0, 1) for source, target in EDGES}
        self.decisions |= {f"op_{vertex}": OPERATIONS for vertex in range(1, INTERIOR + 1)}

    def identity(self) -> Hashable:
        """The skeleton's settings."""
        return tuple(self.settings().values())

    def settings(self) -> dict[str, object]:
        """The skeleton's settings, as keyword arguments."""
        return {
            "stem_channels": self.stem_channels,
            "stacks": self.stacks,
            "cells": self.cells,
            "classes": self.classes,
            "resolution": self.resolution,
        }

    def is_valid(self, architecture: Architecture) -> bool:
        """Whether input and output are connected, by at most 9 edges after pruning."""
        pruned = _cell_of(architecture).pruned()
        return pruned is not None and pruned.edges <= MAX_EDGES

    @cached_property
    def size(self) -> int:
        """Number of valid encodings; `unique` has the number of different cells."""
        return VALID_ENCODINGS

    def cell(self, architecture: Architecture) -> Cell:
        """The pruned cell in canonical form, of which the network is built."""
        pruned = _cell_of(architecture).pruned()
        if pruned is None:
            raise ValueError(f"{architecture} has no path from input to output")
        return canonical(pruned)

    def canonical(self, architecture: Architecture) -> Architecture:
        """The one encoding that stands for all of the same cell: that of the cell as the benchmark holds it.

        Vertices that the cell lacks are the last before the output; they have no edges and the first
        operation.
        """
        return self.from_encoding(_encoding(self.cell(architecture)))

    def module_hash(self, architecture: Architecture) -> str:
        """The benchmark's own key: 32 hexadecimal digits, equal for all encodings of a cell."""
        return module_hash(self.cell(architecture))

    def unique(self) -> Iterator[Architecture]:
        """The 423,624 different cells in canonical encoding, in the benchmark's order of generation."""
        for encoding in unique_encodings().tolist():
            yield Architecture(self, tuple(encoding))

    def format(self, architecture: Architecture) -> str:
        """A part for each vertex after the input: its operation and `~` with each vertex that feeds it.

        The last vertices before the output are left out where they have no edges and the first operation.
        """
        return format_cell(_without_unused(_cell_of(architecture)))

    def parse(self, text: str) -> Architecture:
        """Read what `format` writes, or the benchmark's JSON `{"matrix": ..., "ops": ...}`.

        Raises:
            ValueError: the text is malformed, input and output are not connected, or there are too many
                edges.
        """
        cell = parse_cell(text)
        pruned = cell.pruned()
        if pruned is None:
            raise ValueError(f"{text!r} has no path from input to output")
        if pruned.edges > MAX_EDGES:
            raise ValueError(
                f"{text!r} has {pruned.edges} edges between input and output, at most {MAX_EDGES}"
            )
        return self.from_encoding(_encoding(cell))

    def supernetwork(self) -> Supernetwork:
        """None: raises ValueError."""
        edges = [name for name in self.decisions if "→" in name]
        raise no_supernetwork(self, edges, "decide together how many channels each vertex has")

    def network(self, architecture: Architecture) -> Network:
        """Stem, stacks of cells, head."""
        cell = self.cell(architecture)
        b = Builder()
        x = b.input(3, self.resolution, self.resolution)
        x = b.block("stem", conv_bn_relu, x, channels=self.stem_channels, kernel=3)
        for stack in range(self.stacks):
            if stack:
                x = b.block(f"stack{stack}.downsample", downsample, x)
            for index in range(self.cells):
                channels = self.stem_channels * 2**stack
                x = b.block(f"stack{stack}.cell{index}", cell_block, x, cell=cell, channels=channels)
        return b.build(b.block("head", head, x, classes=self.classes))


def _require(least: int, **settings: int) -> None:
    for name, value in settings.items():
        if not isinstance(value, int) or value < least:
            raise ValueError(f"{name} must be a whole number of at least {least}, not {value!r}")


def _cell_of(architecture: Architecture) -> Cell:
    """All 7 vertices of an encoding."""
    sources: list[list[int]] = [[] for _ in range(MAX_VERTICES)]
    for (source, target), edge in zip(EDGES, architecture.encoding, strict=False):
        if edge:
            sources[target].append(source)
    operations = tuple([OPERATIONS[index] for index in architecture.encoding[len(EDGES) :]])
    return Cell(tuple(map(tuple, sources)), operations)


def _without_unused(cell: Cell) -> Cell:
    """The cell without the last interior vertices that have no edges and the first operation."""
    kept = cell.output
    used = {source for sources in cell.sources for source in sources}
    while kept > 1 and not cell.sources[kept - 1] and kept - 1 not in used:
        if cell.operations[kept - 2] != OPERATIONS[0]:
            break
        kept -= 1
    return Cell((*cell.sources[:kept], cell.sources[-1]), cell.operations[: kept - 1])


def _encoding(cell: Cell) -> list[int]:
    """Choices of a cell whose missing vertices are the last before the output."""
    sources = (*cell.sources[:-1], *[()] * (MAX_VERTICES - 1 - cell.output), cell.sources[-1])
    operations = [OPERATIONS.index(name) for name in cell.operations]
    operations += [0] * (INTERIOR - len(operations))
    return [*(int(source in sources[target]) for source, target in EDGES), *operations]
