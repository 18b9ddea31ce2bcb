"""What a network costs, computed from its description alone: operations, parameters, memory, flash."""

from hwnas.cost.activation_size import mcunet_activation_bytes
from hwnas.cost.boards import Board, Limits, board, boards, limits
from hwnas.cost.count import Counts, NetworkCounts, count
from hwnas.cost.flash import Flash, flash, flash_bytes
from hwnas.cost.memory import RUNTIMES, MemoryPlan, plan
from hwnas.cost.memory.peak import peak_sram_bytes
from hwnas.cost.metrics import FlashMetric, SramMetric

__all__ = [
    "RUNTIMES",
    "Board",
    "Counts",
    "Flash",
    "FlashMetric",
    "Limits",
    "MemoryPlan",
    "NetworkCounts",
    "SramMetric",
    "board",
    "boards",
    "count",
    "flash",
    "flash_bytes",
    "limits",
    "mcunet_activation_bytes",
    "peak_sram_bytes",
    "plan",
]
