"""Shapes of what works element by element."""

from __future__ import annotations

from typing import Any

from hwnas.network.network import Shape
from hwnas.network.operators.registry import Attributes, Shapes, broadcast_values, operator, require


def _same(a: Attributes, shapes: Shapes) -> list[Shape]:
    # [...] -> [...]
    return [shapes[0]]


def _spell_clip(full: dict[str, Any], shapes: Shapes) -> None:
    for name in ("min", "max"):
        if name in full:
            full[name] = float(full[name])


operator(
    "Relu", "Sigmoid", "Tanh", "HardSwish", "Softplus", "Softsign", "Mish", "Erf", "Exp", "Log", "Sqrt",
    "Neg", "Abs", "Reciprocal", "Floor", "Ceil", "Sign",
)(_same)  # fmt: skip
operator("LeakyRelu", defaults={"alpha": 0.01})(_same)
operator("Elu", defaults={"alpha": 1.0})(_same)
operator("Selu", defaults={"alpha": 1.67326319217681884765625, "gamma": 1.05070102214813232421875})(_same)
operator("Celu", defaults={"alpha": 1.0})(_same)
operator("HardSigmoid", defaults={"alpha": 0.2, "beta": 0.5})(_same)
operator("Gelu", defaults={"approximate": "none"})(_same)
operator("Clip", attribute_inputs={1: "min", 2: "max"}, spell=_spell_clip)(_same)
operator("Dropout", defaults={"ratio": 0.5}, attribute_inputs={1: "ratio", 2: "training_mode"})(_same)


@operator("PRelu", parameters={1: "weight"})
def _prelu(a: Attributes, shapes: Shapes) -> list[Shape]:
    # [c, h, w], [c, 1, 1] -> [c, h, w]; the slopes broadcast to the input and never the other way round
    require(broadcast_values(shapes) == shapes[0], "slopes larger than the input")
    return [shapes[0]]


@operator(
    "Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Sum", "Mean", parameters={0: "weight", 1: "weight"}
)
def _broadcasting(a: Attributes, shapes: Shapes) -> list[Shape]:
    # [...], [...] -> [...]
    return [broadcast_values(shapes)]
