"""The version of an operator that a runtime must know to execute it, as TFLite's converter states it.

Source: `tensorflow/lite/tools/versioning/op_version.cc`.
"""

from __future__ import annotations

from hwnas.network.program import Operator, Program

_INT8 = {
    "ABS": 2,
    "ADD": 2,
    "AVERAGE_POOL_2D": 2,
    "CONCATENATION": 2,
    "CONV_2D": 3,
    "DEPTHWISE_CONV_2D": 3,
    "DEQUANTIZE": 2,
    "EXP": 2,
    "FILL": 3,
    "FULLY_CONNECTED": 4,
    "LOG": 2,
    "LOGISTIC": 2,
    "LOG_SOFTMAX": 2,
    "MAXIMUM": 2,
    "MAX_POOL_2D": 2,
    "MEAN": 2,
    "MINIMUM": 2,
    "MUL": 2,
    "PAD": 2,
    "PADV2": 2,
    "QUANTIZE": 2,
    "REDUCE_MAX": 2,
    "REDUCE_MIN": 2,
    "RELU": 2,
    "RELU6": 2,
    "RESIZE_BILINEAR": 2,
    "RESIZE_NEAREST_NEIGHBOR": 2,
    "SOFTMAX": 2,
    "SPACE_TO_DEPTH": 2,
    "SPLIT": 2,
    "SPLIT_V": 2,
    "STRIDED_SLICE": 2,
    "SUB": 2,
    "SUM": 2,
    "TANH": 2,
    "TRANSPOSE": 2,
    "TRANSPOSE_CONV": 2,
}


def version_of(operator: Operator, program: Program) -> int:
    """The version of `operator`, which depends on what its tensors hold."""
    dtypes = [
        program.tensors[number].dtype for number in (*operator.inputs, *operator.outputs) if number >= 0
    ]
    kind, window = operator.kind, operator.window
    if kind == "RESIZE_BILINEAR" and operator.options.get("half_pixel_centers"):
        return 3
    if kind == "RESIZE_NEAREST_NEIGHBOR" and any(operator.options.values()):
        return 3
    if kind == "FULLY_CONNECTED" and (len(operator.inputs) < 3 or operator.inputs[2] < 0):
        return 6
    if kind == "FULLY_CONNECTED" and operator.options.get("keep_num_dims"):
        return 5
    if kind == "CONV_2D" and _is_grouped(operator, program):
        return 6
    if kind == "TRANSPOSE_CONV" and len(operator.inputs) > 3:
        return 3
    if kind == "QUANTIZE" and dtypes[0] == "float32":
        return 1
    if "int8" in dtypes:
        return _INT8.get(kind, 1)
    if kind in ("CONV_2D", "DEPTHWISE_CONV_2D") and window and window.dilations != (1, 1):
        return 2
    return 1


def _is_grouped(operator: Operator, program: Program) -> bool:
    data, weights = (program.tensors[number] for number in operator.inputs[:2])
    return data.shape[-1] != weights.shape[-1]
