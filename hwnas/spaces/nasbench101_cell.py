"""Cells of NAS-Bench-101 (Ying et al., ICML 2019): graphs of at most 7 vertices and 9 edges."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

OPERATIONS = ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")  # in the benchmark's order
MAX_VERTICES, MAX_EDGES = 7, 9


@dataclass(frozen=True)
class Cell:
    """A graph whose edges lead from lower to higher vertices: 0 is the input, the last the output.

    Attributes:
        sources: for each vertex, the vertices from which an edge leads to it, rising.
        operations: what each vertex between input and output does, one of `OPERATIONS`.
    """

    sources: tuple[tuple[int, ...], ...]
    operations: tuple[str, ...]

    @property
    def output(self) -> int:
        """The last vertex."""
        return len(self.sources) - 1

    @property
    def edges(self) -> int:
        """Number of edges."""
        return sum(map(len, self.sources))

    def pruned(self) -> Cell | None:
        """The cell of the vertices on a path from input to output alone, or None where no path is."""
        fed = {0}
        for vertex, sources in enumerate(self.sources):
            if not fed.isdisjoint(sources):
                fed.add(vertex)
        if self.output not in fed:
            return None
        used = {self.output}
        for vertex in range(self.output, 0, -1):
            if vertex in used:
                used.update(self.sources[vertex])
        kept = fed & used
        return self if len(kept) == len(self.sources) else self._renumbered(sorted(kept))

    def _renumbered(self, order: Sequence[int]) -> Cell:
        """The cell of the vertices in `order`, numbered by their position there."""
        position = {vertex: index for index, vertex in enumerate(order)}
        sources = [sorted(position[s] for s in self.sources[v] if s in position) for v in order]
        operations = [self.operations[vertex - 1] for vertex in order[1:-1]]
        return Cell(tuple(map(tuple, sources)), tuple(operations))

    def _rank(self) -> tuple[int, list[int]]:
        """Place among the cells of as many vertices in the order in which the benchmark generated them."""
        columns = [
            1 << source + vertex * (vertex - 1) // 2
            for vertex, sources in enumerate(self.sources)
            for source in sources
        ]
        return sum(columns), [OPERATIONS.index(name) for name in self.operations]


@lru_cache(maxsize=65536)
def canonical(cell: Cell) -> Cell:
    """The isomorphic cell that the benchmark holds: of all orders of the vertices the one generated first.

    That is the lowest number with bit s + t(t-1)/2 for each edge s→t, then the lowest operations. The
    order matters beyond the name: where channels do not divide evenly, the first vertices get one more.

    Args:
        cell: a pruned cell.
    """
    interior = range(1, cell.output)
    orders = [(0, *order, cell.output) for order in itertools.permutations(interior)]
    return min((cell._renumbered(order) for order in orders if _rises(cell, order)), key=Cell._rank)


def _rises(cell: Cell, order: Sequence[int]) -> bool:
    """Whether every edge still leads to a later vertex."""
    position = {vertex: index for index, vertex in enumerate(order)}
    return all(position[s] < position[v] for v, sources in enumerate(cell.sources) for s in sources)


def module_hash(cell: Cell) -> str:
    """The benchmark's key of a pruned cell, equal for isomorphic ones (Ying et al., supplement).

    Each vertex starts with the MD5 of (out-degree, in-degree, operation). As often as there are vertices
    it takes the MD5 of the sorted digests of its sources, those of its targets, and its own; the key is
    the MD5 of all digests, sorted. Input and output count as operations -1 and -2.
    """
    vertices = range(len(cell.sources))
    targets = [[t for t in vertices if v in cell.sources[t]] for v in vertices]
    labels = (-1, *map(OPERATIONS.index, cell.operations), -2)
    digests = [_md5(str((len(targets[v]), len(cell.sources[v]), labels[v]))) for v in vertices]
    for _ in vertices:
        digests = [
            _md5("|".join((_joined(digests, cell.sources[v]), _joined(digests, targets[v]), digests[v])))
            for v in vertices
        ]
    return _md5(str(sorted(digests)))


def _joined(digests: Sequence[str], vertices: Sequence[int]) -> str:
    return "".join(sorted(digests[v] for v in vertices))


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def vertex_channels(cell: Cell, input_channels: int, output_channels: int) -> tuple[int, ...]:
    """Channels of each vertex of a pruned cell (Ying et al., figure 1 and "combine semantics").

    The vertices before the output share its channels evenly, the first ones take what is left over; any
    other has as many as the widest vertex that it feeds.
    """
    channels = [0] * len(cell.sources)
    last = [source for source in cell.sources[-1] if source]
    for index, vertex in enumerate(last):
        channels[vertex] = output_channels // len(last) + (index < output_channels % len(last))
    for vertex in range(cell.output - 1, 0, -1):
        if vertex not in last:
            fed = [target for target in range(vertex + 1, cell.output) if vertex in cell.sources[target]]
            channels[vertex] = max(channels[target] for target in fed)
    channels[0], channels[-1] = input_channels, output_channels
    return tuple(channels)
