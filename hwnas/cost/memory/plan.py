"""Memory plans: which buffer a runtime puts where, and what fills the memory at its peak."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from hwnas.cost.memory.buffers import Buffer
from hwnas.cost.memory.runtimes import Runtime, get_runtime
from hwnas.network.network import Network
from hwnas.network.program import Operator, Program
from hwnas.network.program.lower import lower


@dataclass(frozen=True)
class MemoryPlan:
    """How a runtime uses the memory for one program. Bytes throughout; kB is 1024 of them.

    Attributes:
        runtime: its name.
        program: what it executes.
        buffers: every piece of memory, its size, lifetime and place.
        planned_bytes: up to the highest end of a buffer; for `liveness`, the most that lives at once.
        persistent_bytes: the runtime's own records.
        margin_bytes: what the plan may be short of.
    """

    runtime: str
    program: Program
    buffers: tuple[Buffer, ...]
    planned_bytes: int
    persistent_bytes: int
    margin_bytes: int

    @property
    def total_bytes(self) -> int:
        """Planned and persistent."""
        return self.planned_bytes + self.persistent_bytes

    @property
    def sram_bytes(self) -> int:
        """The total with its margin: what is compared with a board's memory."""
        return self.total_bytes + self.margin_bytes

    @cached_property
    def _peak(self) -> int:
        """The position of the operator at the peak: the highest end; of equal ones, the most live bytes."""
        steps = range(max(1, len(self.program.operators)))
        return max(steps, key=lambda step: (self._end_at(step), self._live_at(step), -step))

    def _alive(self, position: int) -> tuple[Buffer, ...]:
        return tuple([buffer for buffer in self.buffers if buffer.birth <= position <= buffer.death])

    def _end_at(self, position: int) -> int:
        return max([b.offset + b.size for b in self._alive(position) if b.offset is not None], default=0)

    def _live_at(self, position: int) -> int:
        return sum([buffer.size for buffer in self._alive(position)])

    @property
    def peak_operator(self) -> Operator | None:
        """The operator at which the peak is; None in a program without operators."""
        return self.program.operators[self._peak] if self.program.operators else None

    @property
    def at_peak(self) -> tuple[Buffer, ...]:
        """What is alive at the peak, the largest first."""
        return tuple(sorted(self._alive(self._peak), key=lambda buffer: -buffer.size))


def plan(
    source: Network | Program,
    runtime: str | Runtime = "tflm",
    *,
    dtype: str | None = None,
    fused_pad: bool | None = None,
    float_input: bool = False,
) -> MemoryPlan:
    """How `runtime` uses the memory for a network or a program.

    Args:
        source: what is executed. The keywords below are for networks, which are lowered first; a program,
            such as that of a .tflite file, has its own dtype, PADs and inputs.
        runtime: a name in `RUNTIMES`, or a `Runtime` such as `TFLM_X86`.
        dtype: of the activations: `int8` (None) or `float32`.
        fused_pad: whether convolutions pad by themselves; None: as the runtime does by itself.
        float_input: whether inputs are float32, quantised by the program.

    Raises:
        TypeError: `source` is neither a network nor a program.
        ValueError: no such runtime or dtype; a keyword for networks with a program.
        UnsupportedOperatorError: the runtime lacks an operator; the message names it.
    """
    runtime = get_runtime(runtime)
    if isinstance(source, Network):
        fused_pad = runtime.fuses_pads if fused_pad is None else fused_pad
        source = lower(source, dtype=dtype or "int8", fused_pad=fused_pad, float_input=float_input)
    elif not isinstance(source, Program):
        raise TypeError(
            f"a Network or a Program can be planned, not {source!r:.80}; "
            "hwnas.plan also takes files and torch modules"
        )
    elif dtype is not None or fused_pad is not None or float_input:
        raise ValueError("dtype, fused_pad and float_input are for networks; a program has its own")
    layout = runtime.layout(source)
    persistent = runtime.persistent(source)
    margin = runtime.margin(layout.planned_bytes + persistent)
    return MemoryPlan(runtime.name, source, layout.buffers, layout.planned_bytes, persistent, margin)
