"""What matrix products, normalisations and element-wise layers become."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hwnas.network.network import Layer
from hwnas.network.program.layout import fused_activation, nhwc_axis
from hwnas.network.program.lowering import Lower, Lowering
from hwnas.network.program.program import refused


def _gemm(b: Lowering, layer: Layer) -> None:
    a: Any = layer.attributes
    if a["alpha"] != 1 or a["beta"] != 1:
        raise refused(layer, "with alpha or beta has no form in TFLite")
    data, weight = layer.inputs[:2]
    features = layer.output.shape[0]
    source = b.number(data)
    weights = b.constant(weight, (features, math.prod(b.shape(weight)) // features))
    b.layer(layer, "FULLY_CONNECTED", [source, weights, b.bias(layer, features, "FULLY_CONNECTED")])


def _matmul(b: Lowering, layer: Layer) -> None:
    left, right = layer.inputs
    if right in b.network.parameters and len(b.shape(left)) == 1:
        inputs, features = b.shape(right)
        source = b.number(left)
        weights = b.constant(right, (features, inputs))
        b.layer(layer, "FULLY_CONNECTED", [source, weights, b.bias(layer, features, "FULLY_CONNECTED")])
    else:
        rank = len(layer.output.shape)
        b.layer(layer, "BATCH_MATMUL", [b.operand(left, rank), b.operand(right, rank)])


def _batch_norm(b: Lowering, layer: Layer) -> None:
    """A normalisation that stands alone: multiplied by a constant of each channel, and another one added."""
    channels = layer.output.shape[0]
    shape = b.tensors[b.number(layer.inputs[0])].shape
    source = b.number(layer.inputs[0])
    scale = b.constant(f"{layer.name}.scale", (channels,))
    product = b.operator(
        f"{layer.name}.scale", "MUL", [source, scale], f"{layer.name}.scaled", shape, layers=(layer,)
    )
    shift = b.constant(f"{layer.name}.shift", (channels,))
    b.layer(layer, "ADD", [product, shift])


def _unary(kind: str, **names: str) -> Lower:
    """An operator of one value; `names` gives TFLite's name of each attribute that it has."""

    def lower(b: Lowering, layer: Layer) -> None:
        attributes: Any = layer.attributes
        options = {theirs: attributes[ours] for ours, theirs in names.items()}
        b.layer(layer, kind, [b.number(layer.inputs[0])], options=options)

    return lower


def _prelu(b: Lowering, layer: Layer) -> None:
    rank = len(layer.output.shape)
    b.layer(layer, "PRELU", [b.number(layer.inputs[0]), b.operand(layer.inputs[1], rank)])


def _hard_sigmoid(b: Lowering, layer: Layer) -> None:
    """relu6(x + 3) / 6, which is what TFLite's converters make of it."""
    a: Any = layer.attributes
    if abs(a["alpha"] - 1 / 6) > 1e-4 or abs(a["beta"] - 0.5) > 1e-4:
        raise refused(layer, f"with alpha {a['alpha']:g} and beta {a['beta']:g} has no form in TFLite")
    source = b.number(layer.inputs[0])
    shape = b.tensors[source].shape
    name = layer.name
    three = b.constant(f"{name}.three", (1,), values=(3.0,))
    shifted = b.operator(
        f"{name}.shift",
        "ADD",
        [source, three],
        f"{name}.shifted",
        shape,
        activation="RELU6",
        layers=(layer,),
    )
    sixth = b.constant(f"{name}.sixth", (1,), values=(1 / 6,))
    b.layer(layer, "MUL", [shifted, sixth])


def _clip(b: Lowering, layer: Layer) -> None:
    activation = fused_activation(layer)
    if activation is None:
        bounds = [f"{layer.attributes.get(name)}" for name in ("min", "max")]
        raise refused(layer, f"to {' and '.join(bounds)} has no form in TFLite")
    b.layer(layer, activation, [b.number(layer.inputs[0])])


def _binary(kind: str) -> Lower:
    """Two or more values; more than two one after the other."""

    def lower(b: Lowering, layer: Layer) -> None:
        rank = len(layer.output.shape)
        first, *others, last = [b.operand(name, rank) for name in layer.inputs]
        for index, other in enumerate(others):
            part = f"{layer.name}.part{index}"
            shape = np.broadcast_shapes(b.tensors[first].shape, b.tensors[other].shape)
            first = b.operator(part, kind, [first, other], part, shape, layers=(layer,))
        b.layer(layer, kind, [first, last])

    return lower


def _softmax(b: Lowering, layer: Layer) -> None:
    axis: Any = layer.attributes["axis"]
    rank = len(layer.output.shape) + 1
    if nhwc_axis(axis, rank) != rank - 1:
        raise refused(layer, "over another axis than the channels has no form in TFLite")
    kind = "SOFTMAX" if layer.op == "Softmax" else "LOG_SOFTMAX"
    options: dict[str, Any] = {"beta": 1.0} if kind == "SOFTMAX" else {}
    b.layer(layer, kind, [b.number(layer.inputs[0])], options=options)


ARITHMETIC: dict[str, Lower] = {
    "Gemm": _gemm,
    "MatMul": _matmul,
    "BatchNormalization": _batch_norm,
    "Relu": _unary("RELU"),
    "Sigmoid": _unary("LOGISTIC"),
    "Tanh": _unary("TANH"),
    "HardSwish": _unary("HARD_SWISH"),
    "LeakyRelu": _unary("LEAKY_RELU", alpha="alpha"),
    "Elu": _unary("ELU"),
    "Gelu": _unary("GELU"),
    "Exp": _unary("EXP"),
    "Log": _unary("LOG"),
    "Sqrt": _unary("SQRT"),
    "Neg": _unary("NEG"),
    "Abs": _unary("ABS"),
    "Floor": _unary("FLOOR"),
    "Ceil": _unary("CEIL"),
    "SpaceToDepth": _unary("SPACE_TO_DEPTH", blocksize="block_size"),
    "PRelu": _prelu,
    "HardSigmoid": _hard_sigmoid,
    "Clip": _clip,
    "Softmax": _softmax,
    "LogSoftmax": _softmax,
    "Add": _binary("ADD"),
    "Sum": _binary("ADD"),
    "Sub": _binary("SUB"),
    "Mul": _binary("MUL"),
    "Div": _binary("DIV"),
    "Max": _binary("MAXIMUM"),
    "Min": _binary("MINIMUM"),
    "Pow": _binary("POW"),
}
