"""What a layer asks of a device: physical descriptors, the same for every space and every operator.

A layer belongs to one class (`layer_class`: a pointwise, a 3×3 or another convolution, a depthwise one,
an activation, ...) and has six quantities (`QUANTITIES`) for one sample, float32. A network's features
are their sums over its layers, class by class; see `hwnas.latency.predictors.sums`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwnas.cost.formulas import layer_cost
from hwnas.network.network import Layer, Shape

FEATURE_VERSION = 1
"""Changes whenever a class, a quantity or a rule below does: predictors fitted before are refused then."""

BYTES_PER_ELEMENT = 4

QUANTITIES = ("count", "macs", "elementwise", "weight_bytes", "input_bytes", "output_bytes")

_ACTIVATIONS = ("Relu", "Clip", "LeakyRelu", "PRelu", "HardSigmoid", "HardSwish", "Abs", "Neg", "Sign")
_SMOOTH = (
    "Sigmoid", "Tanh", "Softplus", "Softsign", "Mish", "Erf", "Exp", "Log", "Sqrt", "Reciprocal", "Elu",
    "Selu", "Celu", "Gelu", "Softmax", "LogSoftmax",
)  # fmt: skip
_NORMS = ("BatchNormalization", "InstanceNormalization", "GroupNormalization", "LayerNormalization", "LRN")
_ARITHMETIC = ("Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Sum", "Mean")
_REDUCTIONS = (
    "GlobalAveragePool", "GlobalMaxPool", "ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin",
    "ReduceProd", "ReduceL2",
)  # fmt: skip

_CLASS_OF = {
    **dict.fromkeys(_ACTIVATIONS, "activation"),
    **dict.fromkeys(_SMOOTH, "smooth_activation"),
    **dict.fromkeys(_NORMS, "normalisation"),
    **dict.fromkeys(_ARITHMETIC, "arithmetic"),
    **dict.fromkeys(_REDUCTIONS, "reduction"),
    **dict.fromkeys(("MaxPool", "AveragePool"), "pooling"),
    **dict.fromkeys(("Gemm", "MatMul"), "matrix_product"),
    "ConvTranspose": "transposed_conv",
}

CLASSES = (
    "pointwise_conv", "conv_3x3", "conv", "grouped_conv", "depthwise_conv_3x3", "depthwise_conv",
    "transposed_conv", "matrix_product", "normalisation", "activation", "smooth_activation", "arithmetic",
    "pooling", "reduction", "movement",
)  # fmt: skip


def layer_class(layer: Layer, shapes: Sequence[Shape]) -> str:
    """The class of `layer` on inputs (parameters included) of `shapes`: one of `CLASSES`.

    Operators that only move or make data (Concat, Reshape, Pad, Resize, ...) are `movement`.
    """
    if layer.op != "Conv":
        return _CLASS_OF.get(layer.op, "movement")
    group: Any = layer.attributes["group"]
    kernel = shapes[1][2:]
    is_3x3 = kernel == (3, 3)
    if group > 1 and shapes[1][1] == 1:
        return "depthwise_conv_3x3" if is_3x3 else "depthwise_conv"
    if group > 1:
        return "grouped_conv"
    if math.prod(kernel) == 1:
        return "pointwise_conv"
    return "conv_3x3" if is_3x3 else "conv"


def layer_descriptor(
    layer: Layer, activations: Sequence[Shape], parameters: Sequence[Shape], shapes: Sequence[Shape]
) -> NDArray[np.float64]:
    """The descriptors of one layer, `[classes · quantities]`: zero outside its class.

    Args:
        layer: the layer.
        activations: shapes of the inputs that are activations.
        parameters: shapes of those that are parameters.
        shapes: shapes of all inputs in order.
    """
    cost = layer_cost(layer, shapes)
    quantities = (
        1,
        cost.macs,
        cost.elementwise,
        BYTES_PER_ELEMENT * sum(map(math.prod, parameters)),
        BYTES_PER_ELEMENT * sum(map(math.prod, activations)),
        BYTES_PER_ELEMENT * sum(value.size for value in layer.outputs),
    )
    found = np.zeros((len(CLASSES), len(QUANTITIES)))
    found[CLASSES.index(layer_class(layer, shapes))] = quantities
    return found.ravel()
