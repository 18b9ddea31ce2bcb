"""The 423,624 different cells of NAS-Bench-101, one of each class of isomorphic graphs, without hashing."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from hwnas.spaces.nasbench101_cell import MAX_EDGES, MAX_VERTICES, OPERATIONS

Integers = npt.NDArray[np.int64]
EDGES = tuple((source, target) for target in range(1, MAX_VERTICES) for source in range(target))
_NO_GRAPH = np.int64(2) ** 62


def unique_encodings(max_vertices: int = MAX_VERTICES) -> Integers:
    """`[n, 26]`: canonical encodings of all cells of up to `max_vertices`, in the benchmark's order.

    Cells of fewer vertices come first, then those of the lower number with bit s + t(t-1)/2 for each edge
    s→t, then of the lower operations: the first of each class of isomorphic cells is its canonical one.
    """
    return np.concatenate([_encodings(vertices) for vertices in range(2, max_vertices + 1)])


def _encodings(vertices: int) -> Integers:
    """The cells of exactly so many vertices."""
    graphs = _connected(vertices)
    orders = [(0, *order, vertices - 1) for order in itertools.permutations(range(1, vertices - 1))]
    reordered = np.stack([_reordered(graphs, order) for order in orders])
    labels = np.array(list(itertools.product(range(len(OPERATIONS)), repeat=vertices - 2)), dtype=np.int64)
    ranks = np.stack([_ranks(labels[:, _interior(order)]) for order in orders])
    found = [np.empty((0, len(EDGES) + MAX_VERTICES - 2), dtype=np.int64)]
    for index in np.flatnonzero(reordered.min(axis=0) == graphs):
        symmetries = reordered[:, index] == graphs[index]
        kept = labels[ranks[symmetries].min(axis=0) == ranks[0]]
        found.append(_padded(int(graphs[index]), kept))
    return np.concatenate(found)


def _connected(vertices: int) -> Integers:
    """Graphs of at most 9 edges in which an edge leaves and enters every vertex, as numbers, rising."""
    graphs = np.arange(2 ** (vertices * (vertices - 1) // 2), dtype=np.int64)
    for vertex in range(vertices):
        out = sum(1 << _bit(vertex, target) for target in range(vertex + 1, vertices))
        into = sum(1 << _bit(source, vertex) for source in range(vertex))
        for mask in filter(None, (out, into)):
            graphs = graphs[graphs & mask != 0]
    return graphs[np.bitwise_count(graphs) <= MAX_EDGES]


def _bit(source: int, target: int) -> int:
    return source + target * (target - 1) // 2


def _reordered(graphs: Integers, order: Sequence[int]) -> Integers:
    """The graphs with vertex v moved to place `order[v]`; `_NO_GRAPH` where an edge then leads back."""
    moved = np.zeros_like(graphs)
    for target in range(len(order)):
        for source in range(target):
            edge = graphs >> _bit(source, target) & 1
            rises = order[source] < order[target]
            moved |= edge << _bit(order[source], order[target]) if rises else edge * _NO_GRAPH
    return np.minimum(moved, _NO_GRAPH)


def _interior(order: Sequence[int]) -> list[int]:
    """For each interior place, which operation stands there after a move by `order`."""
    return [order.index(place) - 1 for place in range(1, len(order) - 1)]


def _ranks(labels: Integers) -> Integers:
    """Operations read as a number, the first vertex first."""
    return labels @ len(OPERATIONS) ** np.arange(labels.shape[1], dtype=np.int64)[::-1]


def _padded(graph: int, labels: Integers) -> Integers:
    """Encodings of one graph with many operations; vertices that it lacks have no edges."""
    vertices = labels.shape[1] + 2
    encodings = np.zeros((len(labels), len(EDGES) + MAX_VERTICES - 2), dtype=np.int64)
    for source, target in EDGES:
        if target < vertices and graph >> _bit(source, target) & 1:
            place = target if target < vertices - 1 else MAX_VERTICES - 1
            encodings[:, _bit(source, place)] = 1
    encodings[:, len(EDGES) : len(EDGES) + labels.shape[1]] = labels
    return encodings
