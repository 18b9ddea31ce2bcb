"""Instructions of networks block by block: those of a block are counted once, wherever it occurs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hwnas.latency.block_ids import block_ids, network_of
from hwnas.latency.instructions.counting import operations
from hwnas.latency.instructions.operators import Operation
from hwnas.latency.instructions.table import InstructionTable
from hwnas.network.liveness import Live, live_items
from hwnas.network.network import Layer, Network
from hwnas.network.program import Program

_FUSED = ("BatchNormalization", "Relu", "Clip")
_FREE = ("Dropout", "Flatten", "Reshape", "Squeeze")


class Counted(NamedTuple):
    """Instructions of one inference, and the operators whose form was not counted, as text."""

    instructions: float
    unseen: frozenset[str]


class Counter:
    """Counts networks and remembers their blocks.

    Args:
        table: formulas of the operators.
    """

    def __init__(self, table: InstructionTable) -> None:
        self.table = table
        self._known: dict[int, Counted | None] = {}

    def __reduce__(self) -> tuple[type[Counter], tuple[InstructionTable]]:
        """Pickled without what it remembers: the numbers of blocks are those of a process."""
        return Counter, (self.table,)

    def count(self, network: Network) -> Counted:
        """Instructions of `network`.

        Raises:
            ValueError: an operator is of no class that was counted, or has no form in TFLite.
        """
        blocks = self._blocks(network)
        if blocks is None:
            return self.sum(operations(network))
        return Counted(sum(b.instructions for b in blocks), frozenset().union(*(b.unseen for b in blocks)))

    def count_program(self, program: Program) -> Counted:
        """Instructions of a program, such as that of a .tflite file; raises as `count`."""
        return self.sum(operations(program))

    def sum(self, found: list[Operation]) -> Counted:
        """Instructions of several operators together."""
        unseen = frozenset(str(operation) for operation in found if operation.is_extrapolated)
        return Counted(self.table.instructions(found), unseen)

    def _blocks(self, network: Network) -> list[Counted] | None:
        """Its blocks, or None where their sum is not the network: it has dead layers, or fuses across."""
        if not _is_alive(live_items(network), network):
            return None
        found = []
        for number in np.frombuffer(block_ids(network), dtype="<i4").tolist():
            if number not in self._known:
                block = network_of(number)
                self._known[number] = self.sum(operations(block)) if _stands_alone(block) else None
            known = self._known[number]
            if known is None:
                return None
            found.append(known)
        return found


def _is_alive(live: Live, network: Network) -> bool:
    """Whether no layer of `network` is dead, of which `live` are the live items."""
    return len(live.items) == len(network.items) and all(
        isinstance(item, Layer) or _is_alive(live_items(item.network, reached, wanted), item.network)
        for item, reached, wanted in live.items
    )


def _stands_alone(block: Network) -> bool:
    """Whether nothing in `block` is fused into what comes before it, or left out for what comes after."""
    inputs = {value.name for value in block.inputs}
    outputs = {value.name for value in block.flat_outputs}
    return not any(
        (layer.op in (*_FUSED, *_FREE) and inputs.intersection(layer.inputs))
        or (layer.op in _FREE and layer.output.name in outputs)
        for layer in block.layers
    )
