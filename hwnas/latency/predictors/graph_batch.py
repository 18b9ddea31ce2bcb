"""Many networks' graphs as sparse matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hwnas.latency.predictors.graph import Graph, graphs
from hwnas.network.network import Network


class GraphBatch(NamedTuple):
    """The different graphs of some networks side by side, `n` nodes in all.

    Attributes:
        kinds: `[k]`, the numbers of the different kinds of nodes.
        kind_of: `[n]`, the position in `kinds` of each node's kind.
        producers: `[n, n]`, sparse: a row averages over the nodes that the node reads.
        readers: `[n, n]`, sparse: a row averages over the nodes that read the node.
        total: `[networks, n]`, sparse: how often each network holds each node.
    """

    kinds: NDArray[np.int64]
    kind_of: NDArray[np.int64]
    producers: Any
    readers: Any
    total: Any


def graph_batch(networks: Sequence[Network]) -> GraphBatch:
    """The batch of `networks`; a graph that several networks or places share is there once."""
    place: dict[Graph, int] = {}
    held: list[tuple[int, int, int]] = []
    for row, network in enumerate(networks):
        for graph, count in graphs(network).items():
            held.append((row, place.setdefault(graph, len(place)), count))
    sizes = np.array([len(graph.nodes) for graph in place], dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    edges = _edges(list(place), starts)
    nodes = np.concatenate([graph.nodes for graph in place]) if place else np.zeros(0, dtype=np.int64)
    kinds, kind_of = np.unique(nodes, return_inverse=True)
    n = len(nodes)
    return GraphBatch(
        kinds,
        kind_of,
        _averaging(edges[:, 1], edges[:, 0], n),
        _averaging(edges[:, 0], edges[:, 1], n),
        _total(np.array(held, dtype=np.int64).reshape(len(held), 3), starts, len(networks)),
    )


def _edges(found: Sequence[Graph], starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The edges of all graphs as positions among all nodes, `[e, 2]`."""
    if not found:
        return np.zeros((0, 2), dtype=np.int64)
    shift = np.repeat(starts[:-1], [len(graph.edges) for graph in found])
    return np.asarray(np.concatenate([graph.edges for graph in found]) + shift[:, None])


def _averaging(to: NDArray[np.int64], of: NDArray[np.int64], n: int) -> Any:
    from scipy.sparse import csr_matrix

    weights = 1 / np.bincount(to, minlength=n)[to]
    return csr_matrix((weights.astype(np.float32), (to, of)), shape=(n, n))


def _total(held: NDArray[np.int64], starts: NDArray[np.int64], networks: int) -> Any:
    """Sparse `[networks, n]` of how often each node occurs, from `[h, 3]` of network, graph, how often."""
    from scipy.sparse import csr_matrix

    rows, columns, counts = held.T
    sizes = np.diff(starts)[columns]
    ends = np.cumsum(sizes)
    within = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - sizes, sizes)
    nodes = np.repeat(starts[columns], sizes) + within
    values = np.repeat(counts, sizes).astype(np.float32)
    return csr_matrix((values, (np.repeat(rows, sizes), nodes)), shape=(networks, int(starts[-1])))
