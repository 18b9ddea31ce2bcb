"""Memory plans: the bytes that a runtime uses for a network."""

from hwnas.cost.memory.buffers import Buffer
from hwnas.cost.memory.plan import MemoryPlan, plan
from hwnas.cost.memory.runtimes import RUNTIMES, TFLM_X86, Runtime, get_runtime

__all__ = ["RUNTIMES", "TFLM_X86", "Buffer", "MemoryPlan", "Runtime", "get_runtime", "plan"]
