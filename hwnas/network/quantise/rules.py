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
        "FILL",
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
        "SPLIT_V",
        "SQUEEZE",
        "STRIDED_SLICE",
        "TRANSPOSE",
    }
)

FIXED_OUTPUTS: Mapping[str, Quantisation] = {
    "SOFTMAX": Quantisation(np.array([1 / 256], np.float32), -128),
    "LOGISTIC": Quantisation(np.array([1 / 256], np.float32), -128),
    "LOG_SOFTMAX": Quantisation(np.array([1 / 16], np.float32), 127),
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


def fixed_quantisations(program: Program) -> Mapping[int, Quantisation]:
    """The quantisation of each int8 tensor that has no choice: fixed outputs, and what shares with them.

    Raises:
        ValueError: tensors must share that are fixed differently, such as those of a CONCATENATION of a
            LOGISTIC and a TANH.
    """
    representatives = shared_quantisations(program)
    fixed: dict[int, tuple[Operator, Quantisation]] = {}
    for operator in program.operators:
        quantisation = fixed_output(operator.kind)
        if quantisation is None or operator.outputs[0] not in representatives:
            continue
        first, other = fixed.setdefault(representatives[operator.outputs[0]], (operator, quantisation))
        if not _equal(other, quantisation):
            raise ValueError(
                f"{first.name} ({first.kind}) and {operator.name} ({operator.kind}) give int8 numbers of "
                "different scales, which meet in one operator: a QUANTIZE is needed between"
            )
    return {number: fixed[root][1] for number, root in representatives.items() if root in fixed}


def _equal(a: Quantisation, b: Quantisation) -> bool:
    return a.zero_point == b.zero_point and np.array_equal(a.scales, b.scales)
