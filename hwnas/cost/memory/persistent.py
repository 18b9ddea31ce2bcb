"""The arena's persistent part ("tail") in TFLite Micro: its own records of tensors, operators and kernels.

The allocations follow one another from the arena's end downwards, in the order in which TFLite Micro makes
them: its allocators, a record for each tensor (constants too) and each operator, the options of the
operators, the data of their kernels, two int32 for each output channel of a convolution, and the inputs'
and outputs' full records. Sizes of records and kernels were fitted on single-operator networks run by
tflite-micro 0.dev20261023182759 on x86-64 (benchmarks/tflm_tail.py), and meet the interpreter to the byte on
the networks of the tests, among them chains with operators at every alignment. Those of 32-bit cores follow
from the same structures with 4-byte pointers and meet the tails counted on a Cortex-M7 with CMSIS-NN within
40 bytes; of the 32-bit reference kernels none has been counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from hwnas.cost.memory.buffers import aligned
from hwnas.cost.memory.scratch import Scratch
from hwnas.network.program import Program

_ALIGNMENT = 16


class Kernel(NamedTuple):
    """Bytes that an operator of one kind holds on to.

    Attributes:
        options: of its options, as read from the file.
        x86: of its kernel's data in the x86-64 wheel.
        arm: the same on a 32-bit core, reference kernels.
        cmsis_nn: the same with CMSIS-NN's kernels.
    """

    options: int
    x86: int
    arm: int
    cmsis_nn: int


KERNELS: dict[str, Kernel] = {
    "ABS": Kernel(0, 28, 28, 28),
    "ADD": Kernel(8, 60, 60, 60),
    "ARG_MAX": Kernel(4, 0, 0, 0),
    "ARG_MIN": Kernel(4, 0, 0, 0),
    "AVERAGE_POOL_2D": Kernel(40, 32, 32, 36),
    "BROADCAST_TO": Kernel(0, 0, 0, 0),
    "CAST": Kernel(8, 0, 0, 0),
    "CEIL": Kernel(0, 0, 0, 0),
    "CONCATENATION": Kernel(8, 80, 24, 24),
    "CONV_2D": Kernel(28, 80, 56, 60),
    "COS": Kernel(0, 0, 0, 0),
    "DEPTHWISE_CONV_2D": Kernel(28, 80, 56, 60),
    "DEPTH_TO_SPACE": Kernel(4, 20, 20, 20),
    "DEQUANTIZE": Kernel(0, 32, 32, 32),
    "DIV": Kernel(4, 28, 28, 28),
    "ELU": Kernel(0, 256, 256, 256),
    "EXP": Kernel(0, 0, 0, 0),
    "EXPAND_DIMS": Kernel(0, 0, 0, 0),
    "FILL": Kernel(0, 0, 0, 0),
    "FLOOR": Kernel(0, 0, 0, 0),
    "FULLY_CONNECTED": Kernel(32, 72, 48, 64),
    "GATHER": Kernel(8, 20, 20, 20),
    "HARD_SWISH": Kernel(0, 20, 20, 20),
    "L2_NORMALIZATION": Kernel(4, 4, 4, 4),
    "L2_POOL_2D": Kernel(40, 20, 20, 20),
    "LEAKY_RELU": Kernel(4, 24, 24, 24),
    "LOG": Kernel(0, 0, 0, 0),
    "LOGISTIC": Kernel(0, 16, 16, 16),
    "LOG_SOFTMAX": Kernel(0, 40, 40, 40),
    "MAXIMUM": Kernel(0, 0, 0, 0),
    "MAX_POOL_2D": Kernel(40, 32, 32, 36),
    "MEAN": Kernel(1, 44, 44, 44),
    "MINIMUM": Kernel(0, 0, 0, 0),
    "MIRROR_PAD": Kernel(4, 20, 20, 20),
    "MUL": Kernel(4, 36, 36, 36),
    "NEG": Kernel(0, 0, 0, 0),
    "PACK": Kernel(8, 0, 0, 0),
    "PAD": Kernel(0, 56, 56, 56),
    "PADV2": Kernel(0, 56, 56, 56),
    "PRELU": Kernel(0, 28, 28, 28),
    "QUANTIZE": Kernel(0, 32, 32, 32),
    "REDUCE_MAX": Kernel(1, 44, 44, 44),
    "REDUCE_MIN": Kernel(1, 44, 44, 44),
    "RELU": Kernel(0, 28, 28, 28),
    "RELU6": Kernel(0, 8, 8, 8),
    "RESHAPE": Kernel(36, 0, 0, 0),
    "RESIZE_BILINEAR": Kernel(2, 0, 0, 0),
    "RESIZE_NEAREST_NEIGHBOR": Kernel(2, 0, 0, 0),
    "REVERSE_V2": Kernel(0, 0, 0, 0),
    "ROUND": Kernel(0, 0, 0, 0),
    "RSQRT": Kernel(0, 28, 28, 28),
    "SIN": Kernel(0, 0, 0, 0),
    "SLICE": Kernel(0, 0, 0, 0),
    "SOFTMAX": Kernel(4, 80, 48, 56),
    "SPACE_TO_DEPTH": Kernel(4, 20, 20, 20),
    "SPLIT": Kernel(4, 0, 0, 0),
    "SPLIT_V": Kernel(4, 0, 0, 0),
    "SQRT": Kernel(0, 0, 0, 0),
    "SQUARE": Kernel(0, 0, 0, 0),
    "SQUARED_DIFFERENCE": Kernel(0, 112, 112, 112),
    "SQUEEZE": Kernel(36, 0, 0, 0),
    "STRIDED_SLICE": Kernel(24, 84, 84, 84),
    "SUB": Kernel(8, 52, 52, 52),
    "SUM": Kernel(1, 44, 44, 44),
    "TANH": Kernel(0, 16, 16, 16),
    "TRANSPOSE": Kernel(0, 0, 0, 0),
    "TRANSPOSE_CONV": Kernel(20, 88, 72, 76),
    "UNPACK": Kernel(8, 0, 0, 0),
}

# Options that hold a pointer, and are aligned as one.
_WITH_POINTER = ("FULLY_CONNECTED",)

# int8 convolutions keep a multiplier and a shift for each output channel.
_PER_CHANNEL = ("CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV")


class Records(NamedTuple):
    """Bytes of TFLite Micro's own structures on one kind of machine.

    Attributes:
        pointer: of a pointer.
        allocators: of the allocators and the planner.
        tensor: for each tensor.
        operator: for each operator.
        end: of the full record of an input or an output.
        quantisation: more where that is quantised; the zero points come on top.
        kernel: which of `Kernel`'s sizes counts.
        options: of operators whose options are smaller than in `Kernel`, in the release counted there.
    """

    pointer: int
    allocators: int
    tensor: int
    operator: int
    end: int
    quantisation: int
    kernel: str
    options: Mapping[str, int] = {}


X86 = Records(pointer=8, allocators=488, tensor=24, operator=64, end=64, quantisation=24, kernel="x86")
ARM = Records(
    pointer=4,
    allocators=224,
    tensor=12,
    operator=32,
    end=40,
    quantisation=12,
    kernel="arm",
    options={"FULLY_CONNECTED": 20},
)
ARM_CMSIS_NN = ARM._replace(kernel="cmsis_nn")


class Tail(NamedTuple):
    """What decides the tail of a program, or of one part of it after another.

    Attributes:
        tensors: number of tensors.
        kinds: of the operators, in order.
        channels: output channels of the convolutions, in order.
        requests: number of scratch buffers.
    """

    tensors: int
    kinds: tuple[str, ...]
    channels: tuple[int, ...]
    requests: int


def tail_of(program: Program, scratch: Scratch) -> Tail:
    """What decides the tail of `program`, whose kernels make these `scratch` requests."""
    return Tail(
        len(program.tensors),
        tuple([operator.kind for operator in program.operators]),
        tuple(
            [
                program.tensors[operator.outputs[0]].shape[-1]
                for operator in program.operators
                if operator.kind in _PER_CHANNEL
            ]
        ),
        sum([len(scratch(program, operator)) for operator in program.operators]),
    )


def persistent_bytes(program: Program, records: Records, scratch: Scratch) -> int:
    """Bytes of the tail for `program`, with `scratch` requests, on an arena that ends aligned."""
    inputs, outputs = (
        [program.tensors[number].scales for number in numbers]
        for numbers in (program.inputs, program.outputs)
    )
    return tail_bytes(tail_of(program, scratch), inputs, outputs, records)


def tail_bytes(tail: Tail, inputs: Sequence[int], outputs: Sequence[int], records: Records) -> int:
    """Bytes of a tail; `inputs` and `outputs` are the numbers of scales of each input and output."""
    pointer = records.pointer
    used = records.allocators
    used = aligned(used + records.tensor * tail.tensors, pointer)
    used = aligned(used + records.operator * len(tail.kinds), pointer)
    for kind in tail.kinds:
        options = records.options.get(kind, KERNELS[kind].options)
        alignment = pointer if kind in _WITH_POINTER else 4
        used = used + options if options < 4 else aligned(used + options, alignment)
    for kind in tail.kinds:
        data = getattr(KERNELS[kind], records.kernel)
        used = aligned(used + data, _ALIGNMENT) if data else used
    for channels in tail.channels:
        used = aligned(aligned(used, _ALIGNMENT) + 4 * channels, _ALIGNMENT)
        used = aligned(used + 4 * channels, _ALIGNMENT)
    used = aligned(used + pointer * tail.requests, pointer)
    for ends in (inputs, outputs):
        used = aligned(used + pointer * len(ends), _ALIGNMENT)
        for scales in ends:
            used = aligned(used + records.end, pointer)
            if scales:
                used = aligned(used + records.quantisation, pointer) + 4 + 4 * scales
    return used
