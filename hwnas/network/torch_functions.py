"""The operators that are functions in torch: of a layer, the function and its keyword arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.nn import functional

from hwnas.network.network import Layer, Shape

Shapes: TypeAlias = list[Shape]
Function: TypeAlias = tuple[Callable[..., Any], dict[str, Any]]


def _any(layer: Layer) -> Any:
    return layer.attributes


def _reduce_all(values: tuple[Tensor, ...], combine: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    total = values[0]
    for value in values[1:]:
        total = combine(total, value)
    return total


def _sum(*values: Tensor) -> Tensor:
    return _reduce_all(values, torch.add)


def _mean(*values: Tensor) -> Tensor:
    return _sum(*values) / len(values)


def _maximum(*values: Tensor) -> Tensor:
    return _reduce_all(values, torch.maximum)


def _minimum(*values: Tensor) -> Tensor:
    return _reduce_all(values, torch.minimum)


def _concat(*values: Tensor, dim: int) -> Tensor:
    return torch.cat(values, dim)


def _reshape(x: Tensor, shape: Shape) -> Tensor:
    return x.reshape(x.shape[0], *shape)


def _sliced(x: Tensor, bounds: tuple[tuple[int, int, int, int], ...]) -> Tensor:
    for axis, start, end, step in bounds:
        positions = range(*slice(start, end, step).indices(x.shape[axis]))
        if step == 1:
            x = x.narrow(axis, positions.start, len(positions))
        else:
            x = x.index_select(axis, torch.tensor(list(positions), device=x.device))
    return x


def _slice(layer: Layer, shapes: Shapes) -> Function:
    a = _any(layer)
    return _sliced, {"bounds": tuple(zip(a["axes"], a["starts"], a["ends"], a["steps"], strict=True))}


def _padded(layer: Layer, shapes: Shapes) -> Function:
    a = _any(layer)
    rank = len(shapes[0]) + 1
    pads = [pad for axis in reversed(range(1, rank)) for pad in (a["pads"][axis], a["pads"][rank + axis])]
    if a["mode"] == "constant":
        return functional.pad, {"pad": pads, "mode": "constant", "value": a["constant_value"]}
    if any(pads[2 * (rank - 2) :]):
        raise ValueError(f"layer {layer.name}: Pad of channels in mode {a['mode']}")
    mode = {"reflect": "reflect", "edge": "replicate", "wrap": "circular"}[a["mode"]]
    return functional.pad, {"pad": pads[: 2 * (rank - 2)], "mode": mode}


def _product(x: Tensor, dim: list[int], keepdim: bool) -> Tensor:
    for axis in reversed(dim):
        x = x.prod(axis, keepdim=keepdim)
    return x


def _reduce(layer: Layer, shapes: Shapes) -> Function:
    functions: dict[str, Callable[..., Any]] = {
        "ReduceMean": torch.mean,
        "ReduceSum": torch.sum,
        "ReduceMax": torch.amax,
        "ReduceMin": torch.amin,
        "ReduceProd": _product,
        "ReduceL2": torch.linalg.vector_norm,
    }
    a = _any(layer)
    return functions[layer.op], {"dim": list(a["axes"]), "keepdim": bool(a["keepdims"])}


def _resize(layer: Layer, shapes: Shapes) -> Function:
    a = _any(layer)
    coordinates, rounding = a["coordinate_transformation_mode"], a["nearest_mode"]
    before, after = shapes[0], layer.output.shape
    whole = all(new % old == 0 for old, new in zip(before, after, strict=True))
    settings: dict[str, Any] = {"size": list(after[1:])}
    if after[0] == before[0] and not a.get("antialias") and not a.get("exclude_outside"):
        if a["mode"] == "nearest" and (coordinates, rounding) == ("asymmetric", "floor"):
            return functional.interpolate, {**settings, "mode": "nearest"}
        if (
            a["mode"] == "nearest"
            and coordinates == "half_pixel"
            and (rounding == "round_prefer_ceil" or whole)
        ):
            return functional.interpolate, {**settings, "mode": "nearest-exact"}
        smooth = {
            ("linear", 1): "linear",
            ("linear", 2): "bilinear",
            ("linear", 3): "trilinear",
            ("cubic", 2): "bicubic",
        }
        mode = smooth.get((a["mode"], len(before) - 1))
        if mode and a.get("cubic_coeff_a", -0.75) == -0.75 and coordinates in _COORDINATES:
            return functional.interpolate, {
                **settings,
                "mode": mode,
                "align_corners": coordinates == "align_corners",
            }
    raise ValueError(f"layer {layer.name}: Resize with {dict(a)} has no counterpart in torch")


_COORDINATES = ("half_pixel", "pytorch_half_pixel", "align_corners")


def _reshaped(layer: Layer, shapes: Shapes) -> Function:
    return _reshape, {"shape": layer.output.shape}


def _transpose(layer: Layer, shapes: Shapes) -> Function:
    return torch.permute, {"dims": _any(layer)["perm"]}


def _split(layer: Layer, shapes: Shapes) -> Function:
    axis = _any(layer)["axis"]
    return torch.split, {"split_size_or_sections": [v.shape[axis - 1] for v in layer.outputs], "dim": axis}


def _unpack_depth_first(x: Tensor, block: int) -> Tensor:
    n, c, h, w = x.shape
    parts = x.reshape(n, block, block, c // block**2, h, w).permute(0, 3, 4, 1, 5, 2)
    return parts.reshape(n, c // block**2, h * block, w * block)


def _pack_depth_first(x: Tensor, block: int) -> Tensor:
    n, c, h, w = x.shape
    parts = x.reshape(n, c, h // block, block, w // block, block).permute(0, 3, 5, 1, 2, 4)
    return parts.reshape(n, c * block**2, h // block, w // block)


def _depth_to_space(layer: Layer, shapes: Shapes) -> Function:
    block = _any(layer)["blocksize"]
    if _any(layer)["mode"] == "CRD":
        return functional.pixel_shuffle, {"upscale_factor": block}
    return _unpack_depth_first, {"block": block}


def _space_to_depth(layer: Layer, shapes: Shapes) -> Function:
    return _pack_depth_first, {"block": _any(layer)["blocksize"]}


def _expand(x: Tensor, shape: Shape) -> Tensor:
    return x.expand(x.shape[0], *shape)


def _just(function: Callable[..., Any]) -> Callable[[Layer, Shapes], Function]:
    return lambda layer, shapes: (function, {})


FUNCTIONS: dict[str, Callable[[Layer, Shapes], Function]] = {
    "MatMul": _just(torch.matmul),
    "Add": _just(torch.add),
    "Sub": _just(torch.sub),
    "Mul": _just(torch.mul),
    "Div": _just(torch.div),
    "Pow": _just(torch.pow),
    "Sum": _just(_sum),
    "Mean": _just(_mean),
    "Max": _just(_maximum),
    "Min": _just(_minimum),
    "Erf": _just(torch.erf),
    "Exp": _just(torch.exp),
    "Log": _just(torch.log),
    "Sqrt": _just(torch.sqrt),
    "Neg": _just(torch.neg),
    "Abs": _just(torch.abs),
    "Reciprocal": _just(torch.reciprocal),
    "Floor": _just(torch.floor),
    "Ceil": _just(torch.ceil),
    "Sign": _just(torch.sign),
    "Concat": lambda layer, shapes: (_concat, {"dim": _any(layer)["axis"]}),
    "Split": _split,
    "Slice": _slice,
    "Reshape": _reshaped,
    "Squeeze": _reshaped,
    "Unsqueeze": _reshaped,
    "Expand": lambda layer, shapes: (_expand, {"shape": layer.output.shape}),
    "Transpose": _transpose,
    "Pad": _padded,
    "ReduceMean": _reduce,
    "ReduceSum": _reduce,
    "ReduceMax": _reduce,
    "ReduceMin": _reduce,
    "ReduceProd": _reduce,
    "ReduceL2": _reduce,
    "Resize": _resize,
    "DepthToSpace": _depth_to_space,
    "SpaceToDepth": _space_to_depth,
}
