"""The persistent part of TFLite Micro's arena, kind by kind, as its interpreter counts it.

`python -m benchmarks.tflm_tail`. Chains of one and of seventeen operators of a kind differ by sixteen times
what one holds: 24 bytes for each tensor, 64 for the operator, and its options and its kernel's data, which
the table shows beside those of `hwnas.cost.memory.persistent.KERNELS`. These were fitted with it.
"""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from hwnas.cost.memory.buffers import aligned
from hwnas.cost.memory.persistent import KERNELS, X86, tail_bytes, tail_of
from hwnas.cost.memory.scratch import reference_scratch
from hwnas.network.builder import Builder
from hwnas.network.network import Value
from hwnas.network.program import Program, lower
from hwnas.network.quantise import placeholder
from hwnas.network.tflite import Interpreter, write_tflite

FEW, MANY = 1, 17
SHAPE = (16, 8, 8)

CHAINS: dict[str, Callable[[Builder, Value], Value]] = {
    "CONV_2D": lambda b, x: b.conv(x, 16, bias=True),
    "DEPTHWISE_CONV_2D": lambda b, x: b.depthwise(x, kernel=3),
    "FULLY_CONNECTED": lambda b, x: b.linear(x, 16),
    "ADD": lambda b, x: b.add(x, x),
    "SUB": lambda b, x: b.layer("Sub", x, x),
    "MUL": lambda b, x: b.multiply(x, x),
    "DIV": lambda b, x: b.layer("Div", x, x),
    "MAXIMUM": lambda b, x: b.layer("Max", x, x),
    "MAX_POOL_2D": lambda b, x: b.max_pool(x, kernel=3),
    "AVERAGE_POOL_2D": lambda b, x: b.average_pool(x, kernel=3),
    "MEAN": lambda b, x: b.layer("ReduceMean", x, axes=(2, 3), keepdims=1),
    "SUM": lambda b, x: b.layer("ReduceSum", x, axes=(2, 3), keepdims=1),
    "REDUCE_MAX": lambda b, x: b.layer("ReduceMax", x, axes=(2, 3), keepdims=1),
    "LOGISTIC": lambda b, x: b.sigmoid(x),
    "TANH": lambda b, x: b.layer("Tanh", x),
    "HARD_SWISH": lambda b, x: b.hard_swish(x),
    "LEAKY_RELU": lambda b, x: b.layer("LeakyRelu", x, alpha=0.1),
    "ELU": lambda b, x: b.layer("Elu", x),
    "ABS": lambda b, x: b.layer("Abs", x),
    "PRELU": lambda b, x: b.layer("PRelu", x, b.parameter("slope", (16, 1, 1))),
    "SOFTMAX": lambda b, x: b.layer("Softmax", x, axis=1),
    "RESHAPE": lambda b, x: b.layer("Reshape", x, shape=(0, *SHAPE)),
    "TRANSPOSE": lambda b, x: b.layer("Transpose", x, perm=(0, 1, 3, 2)),
    "STRIDED_SLICE": lambda b, x: b.layer("Slice", x, starts=(0,), ends=(16,), axes=(1,), steps=(1,)),
    "DEPTH_TO_SPACE": lambda b, x: b.layer("DepthToSpace", x, blocksize=1),
    "SPACE_TO_DEPTH": lambda b, x: b.layer("SpaceToDepth", x, blocksize=1),
}


def chain(kind: str, length: int) -> Program:
    """A program of `length` operators of `kind`, one after the other."""
    b = Builder()
    x = b.input(16) if kind == "FULLY_CONNECTED" else b.input(*SHAPE)
    for _ in range(length):
        x = CHAINS[kind](b, x)
    return lower(b.build(x))


def tail(program: Program) -> int:
    """Bytes that the interpreter counts."""
    return Interpreter(write_tflite(placeholder(program))).arena.tail_bytes


def without_kernels(program: Program) -> int:
    """Bytes of the tail without the operators' options and data."""
    counted = tail_of(program, reference_scratch)
    ends = [[program.tensors[n].scales for n in numbers] for numbers in (program.inputs, program.outputs)]
    bare = tail_bytes(counted._replace(kinds=()), ends[0], ends[1], X86)
    return bare + X86.operator * len(counted.kinds)


def held(kind: str) -> float:
    """Bytes of options and data that each operator of `kind` holds, the data rounded up to 16."""
    few, many = chain(kind, FEW), chain(kind, MANY)
    difference = tail(many) - tail(few) - without_kernels(many) + without_kernels(few)
    return difference / (MANY - FEW)


def main() -> None:
    table = Table("kind", "counted", "options + data", title="Bytes of an operator in the tail, x86-64")
    for kind in CHAINS:
        kernel = KERNELS[kind]
        table.add_row(kind, f"{held(kind):.1f}", f"{kernel.options} + {aligned(kernel.x86, 16)}")
    Console().print(table)


if __name__ == "__main__":
    main()
