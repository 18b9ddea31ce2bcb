"""Shapes of matrix products."""

from __future__ import annotations

from hwnas.network.network import Shape
from hwnas.network.operators.registry import (
    Attributes,
    Shapes,
    Whole,
    broadcast_values,
    operator,
    require,
)


@operator(
    "Gemm",
    defaults={"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 0},
    parameters={1: "weight", 2: "bias"},
)
def _gemm(a: Attributes, shapes: Shapes) -> list[Shape]:
    # [k], [n, k] or [k, n], [n] -> [n]
    require(not a["transA"], "transA would mix the batch into the features")
    features, inputs = shapes[1] if a["transB"] else shapes[1][::-1]
    require(len(shapes[0]) == 1 and inputs == shapes[0][0], f"{inputs} features expected")
    require(len(shapes) < 3 or shapes[2] == (features,), f"a bias of {features} expected")
    return [(features,)]


@operator("MatMul", parameters={0: "weight", 1: "weight"})
def _matmul(a: Attributes, shapes: Shapes) -> list[Shape]:
    # [..., m, k] x [..., k, n] -> [..., m, n], and [k] x [k, n] -> [n] where the second is a parameter
    left, right = shapes
    if isinstance(right, Whole) and len(right) == 2 and len(left) == 1 and not isinstance(left, Whole):
        require(left[0] == right[0], f"{left[0]} columns against {right[0]} rows")
        return [(right[1],)]
    require(len(left) >= 2 and len(right) >= 2, "vectors would mix the batch")
    require(left[-1] == right[-2], f"{left[-1]} columns against {right[-2]} rows")
    stacks = [type(shape)(shape[:-2]) for shape in (left, right)]
    return [(*broadcast_values(stacks), left[-2], right[-1])]
