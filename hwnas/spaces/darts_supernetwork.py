"""DARTS's supernetwork: an edge from every earlier node of a cell, with one operation or `none`.

A network of the space has two edges at each node. Those that it lacks are `none`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from hwnas.network.network import Network
from hwnas.spaces.architecture import Architecture
from hwnas.spaces.darts_genotype import NODES, OPERATIONS, Edge, Genotype, Node
from hwnas.spaces.darts_layers import edge
from hwnas.spaces.mixtures import candidate_network, edge_mixtures
from hwnas.spaces.supernetwork import Probabilities, Supernetwork

if TYPE_CHECKING:
    from hwnas.spaces.darts import DARTS

LABELS = ("none", *OPERATIONS)
GROUPS = {
    (kind, source, node): f"{kind}_{source}→{node}"
    for kind in Genotype._fields
    for node in NODES
    for source in range(node)
}
"""The group of an edge, by its kind of cell and its ends."""


@dataclass(frozen=True, eq=False)
class DARTSSupernetwork(Supernetwork):
    """A group for each edge of a kind of cell, whose choices are `none` and the operations."""

    space: DARTS

    def choices(self, architecture: Architecture) -> dict[str, int]:
        """The operation of each edge of `architecture`, `none` for all other edges."""
        chosen = dict.fromkeys(self.groups, 0)
        for kind, cell in self.space.genotype(architecture)._asdict().items():
            for node, edges in zip(NODES, cell, strict=True):
                for operation, source in edges:
                    chosen[GROUPS[kind, source, node]] = LABELS.index(operation)
        return chosen

    def derive(self, probabilities: Probabilities) -> Architecture:
        """The two edges into each node whose most probable operation, `none` aside, is the most probable.

        Liu et al., section 2.4; of equals the lower input and the first operation.
        """
        cells = [tuple(_strongest(kind, node, probabilities) for node in NODES) for kind in Genotype._fields]
        return self.space.from_genotype(Genotype(*cells))

    def cheapest(self, cost: Callable[[Network], float]) -> Architecture:
        """The architecture for which a cost that is a sum over blocks is least; exact."""
        savings = {group: np.zeros(len(LABELS)) for group in self.groups}
        for candidates in self.mixtures.values():
            costs = [0 if one.network is None else cost(one.network) for one in candidates]
            savings[candidates[0].terms[0].group] -= costs
        return self.derive(savings)


def darts_supernetwork(space: DARTS) -> DARTSSupernetwork:
    """All networks of `space` in one."""
    dense = tuple(tuple(Edge("sep_conv_3x3", source) for source in range(node)) for node in NODES)
    skeleton = space.network_of(dense, dense)
    blocks = {
        f"cell{layer}.edge{source}_{node}": group
        for layer in range(space.layers)
        for (kind, source, node), group in GROUPS.items()
        if (kind == "reduce") == (layer in space.reductions)
    }
    groups = dict.fromkeys(GROUPS.values(), LABELS)
    return DARTSSupernetwork(space, skeleton, groups, edge_mixtures(skeleton, blocks.get, _candidates))


def _strongest(kind: str, node: int, probabilities: Probabilities) -> Node:
    operations = [probabilities[GROUPS[kind, source, node]][1:] for source in range(node)]
    strengths: npt.NDArray[np.float64] = np.array([one.max() for one in operations])
    first, second = sorted(np.argsort(-strengths, kind="stable")[:2].tolist())
    return (
        Edge(OPERATIONS[int(operations[first].argmax())], first),
        Edge(OPERATIONS[int(operations[second].argmax())], second),
    )


def _candidates(block: Network) -> list[Network | None]:
    shape = block.inputs[0].shape
    stride = shape[1] // block.outputs[0].shape[1]
    networks = [
        candidate_network(shape, edge, operation=operation, stride=stride, name="edge")
        for operation in OPERATIONS
    ]
    return [None, *networks]
