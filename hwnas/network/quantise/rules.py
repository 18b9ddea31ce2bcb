"""Which tensors of an int8 program must have the same quantisation, and which have one given beforehand.

The kernels of TFLite Micro move int8 numbers without rescaling them in the operators of `SHARING`, and take
the output's scale of the operators of `FIXED_OUTPUTS` for granted; the TensorFlow Lite 8-bit quantisation
specification says the same of both.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hwnas.network.program import Operator, Program
from hwnas.network.quantise.quantised import Quantisation

SHARING = frozenset(
    {
        "AVERAGE_POOL_2D",
        "CONCATENATION",
        "DEPTH_TO_SPACE",
        "EXPAND_DIMS",
        "MAXIMUM",
        "MAX_POOL_2D",
        "MINIMUM",
        "PAD",
        "PADV2",
        "RELU6",
        "RESHAPE",
        "RESIZE_BILINEAR",
        "RESIZE_NEAREST_NEIGHBOR",
        "SLICE",
        "SPACE_TO_DEPTH",
        "SPLIT",
        "SQUEEZE",
        "STRIDED_SLICE",
        "TRANSPOSE",
    }
)

FIXED_OUTPUTS: Mapping[str, Quantisation] = {
    "SOFTMAX": Quantisation(np.array([1 / 256], np.float32), -128),
    "LOGISTIC": Quantisation(np.array([1 / 256], np.float32), -128),
    "TANH": Quantisation(np.array([1 / 128], np.float32), 0),
}


def fixed_output(kind: str) -> Quantisation | None:
    """The quantisation that the output of an operator of `kind` must have, None where it is free."""
    return FIXED_OUTPUTS.get(kind)


def shares_quantisation(operator: Operator) -> bool:
    """Whether all quantised inputs and outputs of `operator` must have one quantisation."""
    return operator.kind in SHARING


def shared_quantisations(program: Program) -> Mapping[int, int]:
    """For each int8 tensor of `program`, the lowest number of those that must be quantised as it is."""
    lowest = {number: number for number, tensor in enumerate(program.tensors) if tensor.dtype == "int8"}

    def root(number: int) -> int:
        while lowest[number] != number:
            number = lowest[number]
        return number

    for operator in program.operators:
        if shares_quantisation(operator):
            roots = {root(n) for n in (*operator.inputs, *operator.outputs) if n in lowest}
            lowest.update(dict.fromkeys(roots, min(roots, default=-1)))
    return {number: root(number) for number in lowest}
