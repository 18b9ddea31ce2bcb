"""What a `.tflite` file adds to its numbers.

It is a flatbuffer: each table has a 4-byte link to its layout (shared by all tables alike), each vector and
string its length, each entry of a list of tables 4 bytes; fields start at multiples of their size.
"""

from __future__ import annotations

from hwnas.network.program import Operator, Tensor

FILE_BYTES = 190
"""The outermost tables, and the layouts of tensors and operators."""

KIND_BYTES = 48
"""Of each kind of operator in the file: its table, and the layout of its options."""

WITHOUT_OPTIONS = (
    "CEIL",
    "ELU",
    "FLOOR",
    "LOG",
    "LOGISTIC",
    "PRELU",
    "RELU",
    "RELU6",
    "RESHAPE",
    "SQRT",
    "TANH",
)
"""Kinds of operators that have no options in a file."""


def tensor_structure(tensor: Tensor) -> int:
    """Bytes of a tensor's tables without its name, its scales and the weights that it holds."""
    shape = 4 + 4 * len(tensor.shape)
    quantised = 12 + 4 + 4 + 2 if tensor.scales else 0
    described = tensor.bytes if tensor.is_constant and not tensor.scales else 0
    # Of a constant also its place in the list of buffers, the buffer's table, the length of the data, and the
    # mean of what aligns them to 16.
    stored = 4 + 4 + 8 + 4 + 6 if tensor.is_constant else 0
    return 4 + 20 + shape + quantised + described + stored


def operator_structure(operator: Operator) -> int:
    """Bytes of an operator's tables."""
    lists = 4 + 4 * len(operator.inputs) + 4 + 4 * len(operator.outputs)
    if operator.kind in WITHOUT_OPTIONS:
        return 4 + 16 + lists
    return 4 + 24 + lists + (14 if operator.window else 6)


def name_bytes(name: str) -> int:
    """Bytes of a name: its length, itself and a zero, up to a multiple of 4."""
    return 4 + -(-(len(name.encode()) + 1) // 4) * 4
