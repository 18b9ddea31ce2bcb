"""What each operator costs for one sample: one short function per operator, and one table.

`macs` are multiply-accumulates of convolutions and matrix products, which the field counts; 1 MAC is
2 FLOPs. `elementwise` counts the other arithmetic, with fvcore's conventions where fvcore counts the
operator (2 per element of a batch normalisation in eval mode, 5 of a layer normalisation, 1 per input
element of a global pooling). Shapes leave the batch out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hwnas.network.network import Layer, Shape


@dataclass(frozen=True, slots=True)
class LayerCost:
    """MACs, other arithmetic operations, and the output elements that count as activations."""

    macs: int = 0
    elementwise: int = 0
    activations: int = 0


Shapes = Sequence[Shape]
Formula = Callable[[Layer, Shapes], LayerCost]


def layer_cost(layer: Layer, shapes: Shapes) -> LayerCost:
    """Cost of `layer` on inputs of `shapes`, parameters included; KeyError for an unknown operator."""
    return FORMULAS[layer.op](layer, shapes)


def _conv(layer: Layer, shapes: Shapes) -> LayerCost:
    # [ci, h, w], [co, ci/g, kh, kw] -> [co, h', w']
    out = layer.output.size
    return LayerCost(macs=out * math.prod(shapes[1][1:]), activations=out)


def _conv_transpose(layer: Layer, shapes: Shapes) -> LayerCost:
    # [ci, h, w], [ci, co/g, kh, kw] -> [co, h', w']
    return LayerCost(macs=math.prod(shapes[0]) * math.prod(shapes[1][1:]), activations=layer.output.size)


def _gemm(layer: Layer, shapes: Shapes) -> LayerCost:
    # [k], [n, k] -> [n]
    return LayerCost(macs=math.prod(shapes[1]), activations=layer.output.size)


def _matmul(layer: Layer, shapes: Shapes) -> LayerCost:
    # [..., m, k], [..., k, n] -> [..., m, n]
    return LayerCost(macs=layer.output.size * shapes[0][-1], activations=layer.output.size)


def _batch_norm(layer: Layer, shapes: Shapes) -> LayerCost:
    # [c, h, w] -> [c, h, w]: one multiplication and one addition per element
    return LayerCost(elementwise=2 * layer.output.size)


def _statistics_norm(layer: Layer, shapes: Shapes) -> LayerCost:
    # [...] -> [...]: mean, variance, scaling, and the affine part where there is one
    return LayerCost(elementwise=(5 if len(shapes) > 1 else 4) * layer.output.size)


def _per_input(layer: Layer, shapes: Shapes) -> LayerCost:
    # [c, h, w] -> [c, 1, 1]
    return LayerCost(elementwise=math.prod(shapes[0]))


def _per_output(layer: Layer, shapes: Shapes) -> LayerCost:
    # [...] -> [...]
    return LayerCost(elementwise=layer.output.size)


def _many(layer: Layer, shapes: Shapes) -> LayerCost:
    # n inputs -> their sum, mean, ...
    return LayerCost(elementwise=layer.output.size * max(1, len(shapes) - 1))


def _window(layer: Layer, shapes: Shapes) -> LayerCost:
    # [c, h, w] -> [c, h', w']
    kernel: Any = layer.attributes["kernel_shape"]
    return LayerCost(elementwise=layer.output.size * math.prod(kernel))


def _resize(layer: Layer, shapes: Shapes) -> LayerCost:
    # [c, h, w] -> [c, h', w']: interpolation reads 4 neighbours, nearest copies 1
    return LayerCost(elementwise=layer.output.size * (1 if layer.attributes["mode"] == "nearest" else 4))


def _softmax(layer: Layer, shapes: Shapes) -> LayerCost:
    # [...] -> [...]: subtract the maximum, exponential, sum, division
    return LayerCost(elementwise=4 * layer.output.size)


def _lrn(layer: Layer, shapes: Shapes) -> LayerCost:
    # [c, h, w] -> [c, h, w]: squares of `size` neighbours, their sum, power and division
    size: Any = layer.attributes["size"]
    return LayerCost(elementwise=layer.output.size * (2 * size + 2))


def _free(layer: Layer, shapes: Shapes) -> LayerCost:
    # moves or renames data
    return LayerCost()


FORMULAS: dict[str, Formula] = {
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "Gemm": _gemm,
    "MatMul": _matmul,
    "BatchNormalization": _batch_norm,
    "InstanceNormalization": _statistics_norm,
    "GroupNormalization": _statistics_norm,
    "LayerNormalization": _statistics_norm,
    "GlobalAveragePool": _per_input,
    "GlobalMaxPool": _per_input,
    "MaxPool": _window,
    "AveragePool": _window,
    "Resize": _resize,
    "Softmax": _softmax,
    "LogSoftmax": _softmax,
    "LRN": _lrn,
    **dict.fromkeys(
        ("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL2"), _per_input
    ),
    **dict.fromkeys(
        (
            "Relu",
            "Sigmoid",
            "Tanh",
            "HardSwish",
            "HardSigmoid",
            "Softplus",
            "Softsign",
            "Mish",
            "Erf",
            "Exp",
            "Log",
            "Sqrt",
            "Neg",
            "Abs",
            "Reciprocal",
            "Floor",
            "Ceil",
            "Sign",
            "LeakyRelu",
            "Elu",
            "Selu",
            "Celu",
            "Gelu",
            "Clip",
            "PRelu",
        ),
        _per_output,
    ),
    **dict.fromkeys(("Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Sum", "Mean"), _many),
    **dict.fromkeys(
        (
            "Concat",
            "Split",
            "Slice",
            "Reshape",
            "Flatten",
            "Transpose",
            "Squeeze",
            "Unsqueeze",
            "Expand",
            "Pad",
            "DepthToSpace",
            "SpaceToDepth",
            "ConstantOfShape",
            "Dropout",
        ),
        _free,
    ),
}
