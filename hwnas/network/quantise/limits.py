"""What is not quantised: what TFLite Micro's int8 kernels cannot do, and what networks seldom hold."""

from __future__ import annotations

from collections.abc import Mapping

from hwnas.network.program import Operator, Program, UnsupportedOperatorError

INT8_KINDS = frozenset(
    {
        "ABS",
        "ADD",
        "AVERAGE_POOL_2D",
        "CONCATENATION",
        "CONV_2D",
        "DEPTHWISE_CONV_2D",
        "DEPTH_TO_SPACE",
        "ELU",
        "FILL",
        "FULLY_CONNECTED",
        "HARD_SWISH",
        "LEAKY_RELU",
        "LOGISTIC",
        "MAXIMUM",
        "MAX_POOL_2D",
        "MEAN",
        "MINIMUM",
        "MUL",
        "PAD",
        "PADV2",
        "PRELU",
        "QUANTIZE",
        "RELU",
        "RELU6",
        "RESHAPE",
        "RESIZE_BILINEAR",
        "RESIZE_NEAREST_NEIGHBOR",
        "SOFTMAX",
        "SPACE_TO_DEPTH",
        "SPLIT",
        "SPLIT_V",
        "STRIDED_SLICE",
        "SUB",
        "SUM",
        "TANH",
        "TRANSPOSE",
        "TRANSPOSE_CONV",
    }
)


def require_int8_kernels(program: Program) -> None:
    """Raise where an operator is not quantised.

    TFLite Micro has more in int8, such as DIV and REDUCE_MAX, which networks seldom hold.

    Raises:
        UnsupportedOperatorError: naming the layer and the operator.
    """
    for operator in program.operators:
        if operator.kind not in INT8_KINDS:
            raise UnsupportedOperatorError(f"layer {operator.name}: {operator.kind} is not quantised to int8")


def least_output_scale(operator: Operator, scales: Mapping[int, float]) -> float:
    """The least scale of its output that the kernel of `operator` can rescale to; it aborts below that.

    Sums are computed with 20 more bits than their inputs have, HARD_SWISH with 7 more.
    """
    largest = max((scales[number] for number in operator.inputs if number in scales), default=0.0)
    if operator.kind in ("ADD", "SUB"):
        return largest / 2**18
    return largest / 127 if operator.kind == "HARD_SWISH" else 0.0
