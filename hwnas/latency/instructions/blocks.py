"""Instructions of networks block by block: those of a block are counted once, wherever it occurs."""

from __future__ import annotations

from typing import NamedTuple
from weakref import WeakKeyDictionary

from hwnas.latency.instructions.counting import operations
from hwnas.latency.instructions.operators import Operation
from hwnas.latency.instructions.table import InstructionTable
from hwnas.network.network import Network
from hwnas.network.program import Program
from hwnas.network.program.apart import separate_blocks


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
        self._known: WeakKeyDictionary[Network, Counted] = WeakKeyDictionary()

    def __reduce__(self) -> tuple[type[Counter], tuple[InstructionTable]]:
        """Pickled without what it remembers."""
        return Counter, (self.table,)

    def count(self, network: Network) -> Counted:
        """Instructions of `network`.

        Raises:
            ValueError: an operator is of no class that was counted, or has no form in TFLite.
        """
        blocks = separate_blocks(network)
        if blocks is None:
            return self.sum(operations(network))
        counted = [self._count_block(block.network) for block in blocks]
        return Counted(sum(b.instructions for b in counted), frozenset().union(*(b.unseen for b in counted)))

    def count_program(self, program: Program) -> Counted:
        """Instructions of a program, such as that of a .tflite file; raises as `count`."""
        return self.sum(operations(program))

    def sum(self, found: list[Operation]) -> Counted:
        """Instructions of several operators together."""
        unseen = frozenset(str(operation) for operation in found if operation.is_extrapolated)
        return Counted(self.table.instructions(found), unseen)

    def _count_block(self, block: Network) -> Counted:
        found = self._known.get(block)
        if found is None:
            found = self._known[block] = self.sum(operations(block))
        return found
