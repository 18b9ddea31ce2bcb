"""The path encoding of cells (White et al., "BANANAS", AAAI 2021, section 3)."""

from __future__ import annotations

import numpy as np

from hwnas.search.strategies.predictor.features import Floats, Rows
from hwnas.search.strategies.predictor.graphs import Booleans, Graphs, graphs
from hwnas.spaces import SearchSpace
from hwnas.spaces.nasbench101 import INTERIOR, NASBench101
from hwnas.spaces.nasbench201 import NASBench201
from hwnas.spaces.transnasbench101 import TransNASBench101Micro

LONGEST: dict[type[SearchSpace], int] = {NASBench201: 3, TransNASBench101Micro: 3, NASBench101: INTERIOR}
"""Operations on the longest path through a cell, of the spaces whose architectures are one cell."""


def path_encoding(space: SearchSpace, choices: Rows) -> Floats | None:
    """`[n, decisions] -> [n, paths]`: 1 for each path from input to output that a cell has.

    A path is the sequence of its operations; of k operations there are Σ_l k^l, l from 0 to the longest.

    Returns:
        None where the space's architectures are no cells with few paths.
    """
    longest = next((length for kind, length in LONGEST.items() if isinstance(space, kind)), None)
    return None if longest is None else _paths(graphs(space, choices), longest).astype(np.float64)


def _paths(cells: Graphs, longest: int) -> Booleans:
    """Of graphs from an input, the first node, to an output, the last, which have the two last labels."""
    n, v = cells.labels.shape
    k = cells.kinds - 2
    leading_to: list[dict[int, Booleans]] = [{0: np.ones((n, 1), dtype=bool)}]

    def entering(node: int, length: int) -> Booleans:
        """Paths of so many operations that lead into a node, `[n, k^length]`."""
        found = np.zeros((n, k**length), dtype=bool)
        for source in range(node):
            if length in leading_to[source]:
                found |= cells.reads[:, node, source, None] & leading_to[source][length]
        return found

    for node in range(1, v - 1):
        does = cells.labels[:, node, None] == np.arange(k)
        leading_to.append(
            {
                length + 1: (entering(node, length)[:, :, None] & does[:, None, :]).reshape(n, -1)
                for length in range(longest)
            }
        )
    return np.hstack([entering(v - 1, length) for length in range(longest + 1)])
