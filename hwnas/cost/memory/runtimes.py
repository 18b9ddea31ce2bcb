"""The runtimes whose memory can be planned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from hwnas.cost.memory.buffers import Layout
from hwnas.cost.memory.first_fit import largest_and_last_first, largest_first
from hwnas.cost.memory.liveness import liveness
from hwnas.cost.memory.onnxruntime_arena import onnxruntime_layout
from hwnas.cost.memory.persistent import (
    ARM,
    ARM_CMSIS_NN,
    KERNELS,
    X86,
    Records,
    Tail,
    persistent_bytes,
    tail_of,
)
from hwnas.cost.memory.scratch import Scratch, cmsis_nn_scratch, reference_scratch
from hwnas.cost.memory.tflm import tflm_layout
from hwnas.cost.memory.tinyengine import tinyengine_layout
from hwnas.network.program import Program, UnsupportedOperatorError

# TFLite Micro's kernels of these kinds are for float32 alone. All that it has in int8 is planned, since
# .tflite files of others may hold it; `quantise` makes less of it (no DIV, REDUCE_MAX, ARG_MAX, ...).
_FLOAT_ONLY = frozenset(
    {"CEIL", "COS", "EXP", "FLOOR", "L2_POOL_2D", "LOG", "NEG", "ROUND", "SIN", "SQRT", "SQUARE"}
)


@dataclass(frozen=True)
class Runtime:
    """How a runtime uses memory.

    Attributes:
        name: as the command line has it.
        layout: places the buffers of a program; raises UnsupportedOperatorError for what the runtime lacks.
        persistent: bytes that it keeps beside them for a program.
        fuses_pads: whether convolutions pad by themselves, so that networks are lowered without PADs.
        margin: bytes that a plan of this many may be short of what the runtime uses.
        order: in which order first fit takes buffers of these sizes; None where they are placed otherwise.
        records: the runtime's own records, where it keeps any.
        tail: what these depend on in a program.
    """

    name: str
    layout: Callable[[Program], Layout]
    persistent: Callable[[Program], int]
    fuses_pads: bool
    margin: Callable[[int], int]
    order: Callable[[Sequence[int]], list[int]] | None = None
    records: Records | None = None
    tail: Callable[[Program], Tail] | None = None


def _nothing(_: object) -> int:
    return 0


def _tflm_margin(total_bytes: int) -> int:
    """0.25 % and 64 bytes: 2.5 times the worst that the tails of 32-bit cores were underestimated by."""
    return total_bytes // 400 + 64


def _tflm(name: str, records: Records, scratch: Scratch) -> Runtime:
    return Runtime(
        name,
        partial(_checked_tflm_layout, name=name, scratch=scratch),
        partial(persistent_bytes, records=records, scratch=scratch),
        fuses_pads=False,
        margin=_tflm_margin,
        order=largest_and_last_first,
        records=records,
        tail=partial(tail_of, scratch=scratch),
    )


def _checked_tflm_layout(program: Program, *, name: str, scratch: Scratch) -> Layout:
    for operator in program.operators:
        kind = operator.kind
        if kind not in KERNELS:
            raise UnsupportedOperatorError(
                f"operator {operator.name}: plans of {name} do not cover {kind}; they cover "
                f"{', '.join(sorted(KERNELS))}"
            )
        if kind in _FLOAT_ONLY and program.tensors[operator.inputs[0]].dtype != "float32":
            raise UnsupportedOperatorError(
                f"operator {operator.name}: TFLite Micro has {kind} in float32 only"
            )
    return tflm_layout(program, scratch)


TFLM_X86 = _tflm("tflm-x86", X86, reference_scratch)
"""TFLite Micro as its wheel for x86-64 runs it: 64-bit records. What the interpreter here reports."""

RUNTIMES: dict[str, Runtime] = {
    runtime.name: runtime
    for runtime in (
        Runtime("liveness", liveness, _nothing, fuses_pads=True, margin=_nothing),
        _tflm("tflm", ARM, reference_scratch),
        _tflm("tflm-cmsis-nn", ARM_CMSIS_NN, cmsis_nn_scratch),
        Runtime("tinyengine", tinyengine_layout, _nothing, True, _nothing, largest_first),
        Runtime("onnxruntime", onnxruntime_layout, _nothing, fuses_pads=True, margin=_nothing),
    )
}
"""By name. `liveness` is the lower bound of all that compute nothing in place; `tflm` and `tflm-cmsis-nn` are
TFLite Micro on a 32-bit core, with its reference kernels and with CMSIS-NN's; `tinyengine` is MCUNet's;
`onnxruntime` a greedy arena like ONNX Runtime's."""


def get_runtime(runtime: str | Runtime) -> Runtime:
    """The runtime of a name; a `Runtime` stays as it is.

    Raises:
        ValueError: no runtime has the name; the message says which there are.
    """
    if isinstance(runtime, Runtime):
        return runtime
    if runtime not in RUNTIMES:
        raise ValueError(f"no runtime is called {runtime!r}; there are {', '.join(RUNTIMES)}")
    return RUNTIMES[runtime]
