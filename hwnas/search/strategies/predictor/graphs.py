"""Architectures as graphs of operations: what a graph convolution and a path encoding read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import singledispatch

import numpy as np
import numpy.typing as npt

from hwnas.search.strategies.predictor.features import Rows
from hwnas.spaces import SearchSpace, darts, darts_genotype, nasbench101_cell, nasbench201, transnasbench101
from hwnas.spaces.darts import DARTS
from hwnas.spaces.nasbench101 import NASBench101
from hwnas.spaces.nasbench101_unique import EDGES
from hwnas.spaces.nasbench201 import NASBench201
from hwnas.spaces.transnasbench101 import TransNASBench101Micro

Booleans = npt.NDArray[np.bool_]

NONE = 0
"""The operation of edges that are not there."""


@dataclass(frozen=True, eq=False)
class Graphs:
    """n graphs of v nodes each, every node after those that it reads.

    Attributes:
        labels: `[n, v]`: what each node does, from 0 to `kinds` - 1.
        kinds: number of different labels.
        reads: `[n, v, v]`: whether a node (second axis) reads another (third).
        is_live: `[n, v]`: whether a node lies between a source and a sink; others read nothing and are
            not read.
    """

    labels: Rows
    kinds: int
    reads: Booleans
    is_live: Booleans

    @classmethod
    def pruned(
        cls, labels: Rows, kinds: int, reads: Booleans, *, sources: Sequence[int], sinks: Sequence[int]
    ) -> Graphs:
        """The graphs, nodes apart that no source feeds or that no sink reads."""
        n, v = labels.shape
        is_fed, is_used = np.zeros((n, v), dtype=bool), np.zeros((n, v), dtype=bool)
        is_fed[:, sources], is_used[:, sinks] = True, True
        for node in range(v):
            is_fed[:, node] |= (reads[:, node] & is_fed).any(axis=1)
        for node in reversed(range(v)):
            is_used |= reads[:, node] & is_used[:, node, None]
        is_live = is_fed & is_used
        return cls(labels, kinds, reads & is_live[:, :, None] & is_live[:, None, :], is_live)


@singledispatch
def graphs(space: SearchSpace, choices: Rows) -> Graphs:
    """The graph of each architecture, given the indices of its choices `[n, decisions]`.

    A space of cells has its cells, in which operations are nodes; so that their edges become nodes where
    the space has operations on edges. Any other space is a chain of its decisions.
    """
    sizes = [len(offered) for offered in space.choices]
    n, v = choices.shape
    first_labels = np.cumsum([0, *sizes[:-1]])
    reads = np.broadcast_to(np.eye(v, k=-1, dtype=bool), (n, v, v))
    return Graphs(choices + first_labels, sum(sizes), reads, np.ones((n, v), dtype=bool))


def has_cells(space: SearchSpace) -> bool:
    """Whether the graphs of the space are more than chains."""
    return graphs.dispatch(type(space)) is not graphs.dispatch(SearchSpace)


@graphs.register
def _(space: NASBench201, choices: Rows) -> Graphs:
    return _edges_as_nodes(choices, nasbench201.EDGES, nasbench201.OPERATIONS)


@graphs.register
def _(space: TransNASBench101Micro, choices: Rows) -> Graphs:
    return _edges_as_nodes(choices, transnasbench101.EDGES, transnasbench101.OPERATIONS)


def _edges_as_nodes(choices: Rows, edges: Sequence[str], operations: Sequence[str]) -> Graphs:
    """A cell's input, its edges and its output; edges with the first operation, `none`, are dead nodes."""
    pairs = [tuple(edge.split("→")) for edge in edges]
    ends = [("", "0"), *pairs, (max(target for _, target in pairs), "end")]
    reads = np.array([[target == source for _, target in ends] for source, _ in ends])
    kinds = len(operations) - 1
    exists = _between(choices, len(operations)) != NONE
    reads = reads & exists[:, :, None] & exists[:, None, :]
    labels = _between(np.maximum(choices - 1, 0), kinds)
    return Graphs.pruned(labels, kinds + 2, reads, sources=[0], sinks=[len(ends) - 1])


@graphs.register
def _(space: NASBench101, choices: Rows) -> Graphs:
    vertices = nasbench101_cell.MAX_VERTICES
    reads = np.zeros((len(choices), vertices, vertices), dtype=bool)
    for column, (source, target) in enumerate(EDGES):
        reads[:, target, source] = choices[:, column] == 1
    operations = len(nasbench101_cell.OPERATIONS)
    labels = _between(choices[:, len(EDGES) :], operations)
    return Graphs.pruned(labels, operations + 2, reads, sources=[0], sinks=[vertices - 1])


@graphs.register
def _(space: DARTS, choices: Rows) -> Graphs:
    """Both cells side by side: two inputs, the operations two to a node, and an output."""
    cells = [_darts_cell(part) for part in np.split(choices, 2, axis=1)]
    n, size = cells[0][0].shape
    kinds = len(darts_genotype.OPERATIONS) + 2
    labels = np.hstack([cells[0][0], cells[1][0] + kinds])
    reads = np.zeros((n, 2 * size, 2 * size), dtype=bool)
    reads[:, :size, :size], reads[:, size:, size:] = cells[0][1], cells[1][1]
    return Graphs.pruned(
        labels, 2 * kinds, reads, sources=[0, 1, size, size + 1], sinks=[size - 1, 2 * size - 1]
    )


def _darts_cell(choices: Rows) -> tuple[Rows, Booleans]:
    """Labels `[n, 11]` and what reads what, of the 3 choices for each of a cell's four nodes."""
    n, operations = len(choices), len(darts_genotype.OPERATIONS)
    size = 2 + 2 * len(darts_genotype.NODES) + 1
    labels = np.full((n, size), operations)
    labels[:, -1] = operations + 1
    reads = np.zeros((n, size, size), dtype=bool)
    reads[:, -1, 2:-1] = True
    outputs = [[0], [1]]
    for node in darts_genotype.NODES:
        pair = choices[:, 3 * (node - 2)]
        inputs = np.array(darts.PAIRS[node])[pair]
        own = [2 * node - 2, 2 * node - 1]
        for side, place in enumerate(own):
            labels[:, place] = choices[:, 3 * (node - 2) + 1 + side]
            for source, places in enumerate(outputs):
                reads[:, place, places] = (inputs[:, side] == source)[:, None]
        outputs.append(own)
    return labels, reads


def _between(operations: Rows, kinds: int) -> Rows:
    """`[n, v] -> [n, v + 2]`: with an input before and an output behind, of labels of their own."""
    ends = np.ones((len(operations), 1), dtype=np.int64)
    return np.hstack([kinds * ends, operations, (kinds + 1) * ends])
