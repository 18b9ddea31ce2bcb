"""Shapes of convolutions and pooling: windows that slide over the spatial axes."""

from __future__ import annotations

import math
from typing import Any

from hwnas.network.network import Shape
from hwnas.network.operators.registry import Attributes, Shapes, operator, require


def _spell(full: dict[str, Any], shapes: Shapes) -> None:
    """Write kernel, strides, dilations and padding in full."""
    if "kernel_shape" not in full:
        require(len(shapes) > 1, "kernel_shape is missing")
        full["kernel_shape"] = tuple(shapes[1][2:])
    dims = len(full["kernel_shape"])
    full.setdefault("strides", (1,) * dims)
    full.setdefault("dilations", (1,) * dims)
    auto = full.pop("auto_pad", "NOTSET")
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        full["pads"] = _same_pads(full, shapes[0], upper=auto == "SAME_UPPER")
    full.setdefault("pads", (0,) * (2 * dims))
    for name, length in (("strides", dims), ("dilations", dims), ("pads", 2 * dims)):
        require(len(full[name]) == length, f"{name} {full[name]} for {dims} axes")
    require(all(size > 0 for size in full["kernel_shape"]), f"a window of {full['kernel_shape']}")
    require(all(step > 0 for step in (*full["strides"], *full["dilations"])), "strides below 1")
    require(all(pad >= 0 for pad in full["pads"]), f"negative padding {full['pads']}")


def _spell_conv(full: dict[str, Any], shapes: Shapes) -> None:
    _spell(full, shapes)
    kernel = tuple(shapes[1][2:])
    require(full["kernel_shape"] == kernel, f"kernel_shape {full['kernel_shape']}, weights of {kernel}")


def _spell_transposed(full: dict[str, Any], shapes: Shapes) -> None:
    require("output_shape" not in full, "output_shape: give pads and output_padding instead")
    require(full.get("auto_pad", "NOTSET") in ("NOTSET", "VALID"), "auto_pad: give pads instead")
    _spell_conv(full, shapes)
    full.setdefault("output_padding", (0,) * len(full["kernel_shape"]))


def _same_pads(full: Attributes, shape: Shape, *, upper: bool) -> tuple[int, ...]:
    """Explicit pads of ONNX's SAME padding: the output is the input divided by the stride, rounded up."""
    begins, ends = [], []
    settings = zip(full["kernel_shape"], full["strides"], full["dilations"], strict=True)
    for size, (k, s, d) in zip(shape[1:], settings, strict=True):
        total = max(0, (math.ceil(size / s) - 1) * s + (k - 1) * d + 1 - size)
        small, large = total // 2, total - total // 2
        begins.append(small if upper else large)
        ends.append(large if upper else small)
    return (*begins, *ends)


def _window_sizes(a: Attributes, shape: Shape) -> tuple[int, ...]:
    """Spatial output sizes of a sliding window over `[c, *spatial]`."""
    spatial = shape[1:]
    dims = len(spatial)
    require(len(a["kernel_shape"]) == dims, f"a window of {a['kernel_shape']} over {dims} axes")
    sizes = []
    for axis, size in enumerate(spatial):
        begin, end = a["pads"][axis], a["pads"][dims + axis]
        reach = (a["kernel_shape"][axis] - 1) * a["dilations"][axis] + 1
        room = size + begin + end - reach
        require(room >= 0, f"a window of {reach} does not fit into {size} with padding {begin}+{end}")
        stride = a["strides"][axis]
        steps = room // stride
        if a.get("ceil_mode") and room % stride and (steps + 1) * stride < size + begin:
            steps += 1
        sizes.append(steps + 1)
    return tuple(sizes)


def _require_bias(shapes: Shapes, channels: int) -> None:
    require(len(shapes) < 3 or shapes[2] == (channels,), f"a bias of {channels} expected")


@operator("Conv", defaults={"group": 1}, parameters={1: "weight", 2: "bias"}, spell=_spell_conv)
def _conv(a: Attributes, shapes: Shapes) -> list[Shape]:
    # [ci, h, w], [co, ci/g, kh, kw], [co] -> [co, h', w']
    x, weight, groups = shapes[0], shapes[1], a["group"]
    require(groups > 0 and weight[0] % groups == 0, f"{weight[0]} channels in {groups} groups")
    require(weight[1] * groups == x[0], f"{x[0]} input channels, {weight[1] * groups} expected")
    _require_bias(shapes, weight[0])
    return [(weight[0], *_window_sizes(a, x))]


@operator(
    "ConvTranspose", defaults={"group": 1}, parameters={1: "weight", 2: "bias"}, spell=_spell_transposed
)
def _conv_transpose(a: Attributes, shapes: Shapes) -> list[Shape]:
    # [ci, h, w], [ci, co/g, kh, kw], [co] -> [co, h', w']
    x, weight, groups = shapes[0], shapes[1], a["group"]
    require(groups > 0 and x[0] % groups == 0, f"{x[0]} channels in {groups} groups")
    require(weight[0] == x[0], f"{x[0]} input channels, {weight[0]} expected")
    _require_bias(shapes, weight[1] * groups)
    dims = len(x) - 1
    spatial = tuple(
        (x[1 + i] - 1) * a["strides"][i]
        + (a["kernel_shape"][i] - 1) * a["dilations"][i]
        + 1
        + a["output_padding"][i]
        - a["pads"][i]
        - a["pads"][dims + i]
        for i in range(dims)
    )
    return [(weight[1] * groups, *spatial)]


@operator("MaxPool", defaults={"ceil_mode": 0}, spell=_spell)
def _max_pool(a: Attributes, shapes: Shapes) -> list[Shape]:
    # [c, h, w] -> [c, h', w']
    return [(shapes[0][0], *_window_sizes(a, shapes[0]))]


@operator("AveragePool", defaults={"ceil_mode": 0, "count_include_pad": 0}, spell=_spell)
def _average_pool(a: Attributes, shapes: Shapes) -> list[Shape]:
    # [c, h, w] -> [c, h', w']
    return [(shapes[0][0], *_window_sizes(a, shapes[0]))]


@operator("GlobalAveragePool", "GlobalMaxPool")
def _global_pool(a: Attributes, shapes: Shapes) -> list[Shape]:
    # [c, h, w] -> [c, 1, 1]
    return [(shapes[0][0],) + (1,) * (len(shapes[0]) - 1)]
