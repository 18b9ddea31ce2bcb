"""Shapes of normalisation layers: as their input, with parameters that must fit it."""

from __future__ import annotations

from hwnas.network.network import Shape
from hwnas.network.operators.registry import Attributes, Shapes, inner, operator, require

_AFFINE = {1: "weight", 2: "bias"}


def _require_shapes(shapes: Shapes, expected: Shape) -> None:
    require(all(shape == expected for shape in shapes[1:]), f"parameters of shape {expected} expected")


@operator(
    "BatchNormalization",
    defaults={"epsilon": 1e-5, "momentum": 0.9, "training_mode": 0},
    parameters={**_AFFINE, 3: "running_mean", 4: "running_var"},
)
def _batch_normalization(a: Attributes, shapes: Shapes) -> list[Shape]:
    # [c, ...], [c] x 4 -> [c, ...]
    require(not a["training_mode"], "training_mode: only the mode of inference is described")
    require(len(shapes) == 5, "scale, bias, mean and variance expected")
    _require_shapes(shapes, (shapes[0][0],))
    return [shapes[0]]


@operator("InstanceNormalization", defaults={"epsilon": 1e-5}, parameters=_AFFINE)
def _instance_normalization(a: Attributes, shapes: Shapes) -> list[Shape]:
    # [c, ...], [c], [c] -> [c, ...]
    _require_shapes(shapes, (shapes[0][0],))
    return [shapes[0]]


@operator("GroupNormalization", defaults={"epsilon": 1e-5}, parameters=_AFFINE)
def _group_normalization(a: Attributes, shapes: Shapes) -> list[Shape]:
    # [c, ...], [c], [c] -> [c, ...]
    channels, groups = shapes[0][0], a["num_groups"]
    require(groups > 0 and channels % groups == 0, f"{channels} channels in {groups} groups")
    _require_shapes(shapes, (channels,))
    return [shapes[0]]


@operator("LayerNormalization", defaults={"axis": -1, "epsilon": 1e-5}, parameters=_AFFINE)
def _layer_normalization(a: Attributes, shapes: Shapes) -> list[Shape]:
    # [..., n], [n], [n] -> [..., n]
    _require_shapes(shapes, shapes[0][inner(a["axis"]) :])
    return [shapes[0]]


@operator("LRN", defaults={"alpha": 1e-4, "beta": 0.75, "bias": 1.0})
def _lrn(a: Attributes, shapes: Shapes) -> list[Shape]:
    # [c, h, w] -> [c, h, w]
    require(a["size"] > 0, f"a window of {a['size']} channels")
    return [shapes[0]]


@operator("Softmax", "LogSoftmax", defaults={"axis": -1})
def _softmax(a: Attributes, shapes: Shapes) -> list[Shape]:
    # [..., n, ...] -> [..., n, ...]
    require(inner(a["axis"]) < len(shapes[0]), f"axis {a['axis']} of {len(shapes[0]) + 1}")
    return [shapes[0]]
