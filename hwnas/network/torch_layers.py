"""How each operator is written in torch: as a module where torch has one, else as a function."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from hwnas.network.network import Layer, Shape

Shapes = list[Shape]

# --- modules: layer, value shapes, parameter shapes -> nn.Module -----------------------------------


def _window(layer: Layer, make: Callable[[Any], nn.Module], fill: float = 0.0) -> nn.Module:
    """A sliding-window module; padding that differs at the two ends is added to its input by a hook."""
    pads: Any = layer.attributes["pads"]
    half = len(pads) // 2
    begins, ends = pads[:half], pads[half:]
    if begins == ends:
        return make(begins)
    module = make((0,) * half)
    from_last_axis = [pad for axis in reversed(range(half)) for pad in (begins[axis], ends[axis])]
    module.register_forward_pre_hook(_PadInput(from_last_axis, fill))
    return module


class _PadInput:
    """Forward pre-hook: constant padding, given as `functional.pad` takes it."""

    def __init__(self, pads: list[int], fill: float) -> None:
        self.pads, self.fill = pads, fill

    def __call__(self, module: nn.Module, inputs: tuple[Tensor, ...]) -> Tensor:
        return functional.pad(inputs[0], self.pads, value=self.fill)


def _conv(layer: Layer, shapes: Shapes, parameters: Shapes) -> nn.Module:
    a: Any = layer.attributes
    classes = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
    kind = classes[len(a["kernel_shape"])]
    out_channels, per_group = parameters[0][0], parameters[0][1]
    return _window(
        layer,
        lambda pads: kind(
            per_group * a["group"],
            out_channels,
            a["kernel_shape"],
            stride=a["strides"],
            padding=pads,
            dilation=a["dilations"],
            groups=a["group"],
            bias=len(parameters) > 1,
        ),
    )


def _conv_transpose(layer: Layer, shapes: Shapes, parameters: Shapes) -> nn.Module:
    a: Any = layer.attributes
    half = len(a["pads"]) // 2
    if a["pads"][:half] != a["pads"][half:]:
        raise ValueError(f"layer {layer.name}: ConvTranspose with different padding at the two ends")
    return nn.ConvTranspose2d(
        parameters[0][0],
        parameters[0][1] * a["group"],
        a["kernel_shape"],
        stride=a["strides"],
        padding=a["pads"][:half],
        output_padding=a.get("output_padding", 0),
        groups=a["group"],
        bias=len(parameters) > 1,
        dilation=a["dilations"],
    )


def _max_pool(layer: Layer, shapes: Shapes, parameters: Shapes) -> nn.Module:
    a: Any = layer.attributes
    ceil = bool(a["ceil_mode"])
    return _window(
        layer,
        lambda pads: nn.MaxPool2d(a["kernel_shape"], a["strides"], pads, a["dilations"], ceil_mode=ceil),
        float("-inf"),
    )


def _average_pool(layer: Layer, shapes: Shapes, parameters: Shapes) -> nn.Module:
    a: Any = layer.attributes
    counted, half = bool(a["count_include_pad"]), len(a["pads"]) // 2
    if a["pads"][:half] != a["pads"][half:] and not counted:
        raise ValueError(f"layer {layer.name}: AveragePool with uneven padding that is not counted")
    ceil = bool(a["ceil_mode"])
    return _window(
        layer,
        lambda pads: nn.AvgPool2d(
            a["kernel_shape"], a["strides"], pads, ceil_mode=ceil, count_include_pad=counted
        ),
    )


def _batch_norm(layer: Layer, shapes: Shapes, parameters: Shapes) -> nn.Module:
    classes = {1: nn.BatchNorm1d, 2: nn.BatchNorm1d, 3: nn.BatchNorm2d, 4: nn.BatchNorm3d}
    a: Any = layer.attributes
    return classes[len(shapes[0])](parameters[0][0], eps=a["epsilon"], momentum=1 - a["momentum"])


class _Gemm(nn.Linear):
    """A linear layer whose weight may lie transposed, `[in, out]`, as ONNX allows."""

    def __init__(self, layer: Layer, weight: Shape, *, bias: bool) -> None:
        a: Any = layer.attributes
        self.transposed = not a["transB"]
        self.alpha, self.beta = a["alpha"], a["beta"]
        features = weight[::-1] if self.transposed else weight
        super().__init__(features[1], features[0], bias=bias)
        if self.transposed:
            self.weight = nn.Parameter(self.weight.detach().t().contiguous())

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight.t() if self.transposed else self.weight
        bias = self.bias * self.beta if self.bias is not None else None
        return functional.linear(x, weight * self.alpha, bias)


def _gemm(layer: Layer, shapes: Shapes, parameters: Shapes) -> nn.Module:
    a: Any = layer.attributes
    bias = len(parameters) > 1
    if a["transB"] and a["alpha"] == 1 and a["beta"] == 1:
        return nn.Linear(parameters[0][1], parameters[0][0], bias=bias)
    return _Gemm(layer, parameters[0], bias=bias)


def _clip(layer: Layer, shapes: Shapes, parameters: Shapes) -> nn.Module:
    low, high = layer.attributes.get("min"), layer.attributes.get("max")
    if (low, high) == (0.0, 6.0):
        return nn.ReLU6()
    infinity = float("inf")
    return nn.Hardtanh(-infinity if low is None else float(low), infinity if high is None else float(high))  # type: ignore[arg-type]


class _HardSigmoid(nn.Module):
    """max(0, min(1, alpha·x + beta)) with other constants than torch's."""

    def __init__(self, alpha: float, beta: float) -> None:
        super().__init__()
        self.alpha, self.beta = alpha, beta

    def forward(self, x: Tensor) -> Tensor:
        return torch.clamp(self.alpha * x + self.beta, 0, 1)


def _hard_sigmoid(layer: Layer, shapes: Shapes, parameters: Shapes) -> nn.Module:
    a: Any = layer.attributes
    if math.isclose(a["alpha"], 1 / 6, rel_tol=1e-6) and math.isclose(a["beta"], 0.5):
        return nn.Hardsigmoid()
    return _HardSigmoid(a["alpha"], a["beta"])


def _layer_norm(layer: Layer, shapes: Shapes, parameters: Shapes) -> nn.Module:
    a: Any = layer.attributes
    return nn.LayerNorm(shapes[0][a["axis"] - 1 :], eps=a["epsilon"], bias=len(parameters) > 1)


def _softmax(layer: Layer, shapes: Shapes, parameters: Shapes) -> nn.Module:
    axis: Any = layer.attributes["axis"]
    return nn.Softmax(dim=axis) if layer.op == "Softmax" else nn.LogSoftmax(dim=axis)


def _plain(kind: Callable[[], nn.Module]) -> Callable[[Layer, Shapes, Shapes], nn.Module]:
    return lambda layer, shapes, parameters: kind()


def _alpha(kind: Callable[[float], nn.Module]) -> Callable[[Layer, Shapes, Shapes], nn.Module]:
    return lambda layer, shapes, parameters: kind(layer.attributes["alpha"])  # type: ignore[arg-type]


def _any(layer: Layer) -> Any:
    return layer.attributes


MODULES: dict[str, Callable[[Layer, Shapes, Shapes], nn.Module]] = {
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "Gemm": _gemm,
    "BatchNormalization": _batch_norm,
    "InstanceNormalization": lambda layer, shapes, parameters: nn.InstanceNorm2d(
        parameters[0][0], eps=_any(layer)["epsilon"], affine=True
    ),
    "GroupNormalization": lambda layer, shapes, parameters: nn.GroupNorm(
        _any(layer)["num_groups"], parameters[0][0], eps=_any(layer)["epsilon"]
    ),
    "LayerNormalization": _layer_norm,
    "LRN": lambda layer, shapes, parameters: nn.LocalResponseNorm(
        _any(layer)["size"], _any(layer)["alpha"], _any(layer)["beta"], _any(layer)["bias"]
    ),
    "MaxPool": _max_pool,
    "AveragePool": _average_pool,
    "GlobalAveragePool": lambda layer, shapes, parameters: nn.AdaptiveAvgPool2d(1),
    "GlobalMaxPool": lambda layer, shapes, parameters: nn.AdaptiveMaxPool2d(1),
    "Relu": _plain(nn.ReLU),
    "Clip": _clip,
    "LeakyRelu": _alpha(nn.LeakyReLU),
    "Elu": _alpha(nn.ELU),
    "Celu": _alpha(nn.CELU),
    "Selu": _plain(nn.SELU),
    "PRelu": lambda layer, shapes, parameters: nn.PReLU(math.prod(parameters[0])),
    "Sigmoid": _plain(nn.Sigmoid),
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": _plain(nn.Hardswish),
    "Tanh": _plain(nn.Tanh),
    "Gelu": lambda layer, shapes, parameters: nn.GELU(approximate=_any(layer)["approximate"]),
    "Softplus": _plain(nn.Softplus),
    "Softsign": _plain(nn.Softsign),
    "Mish": _plain(nn.Mish),
    "Softmax": _softmax,
    "LogSoftmax": _softmax,
    "Dropout": lambda layer, shapes, parameters: nn.Dropout(_any(layer)["ratio"]),
    "Flatten": _plain(nn.Flatten),
    "Identity": _plain(nn.Identity),
}


# --- functions: layer, value shapes -> (function, keyword arguments) -------------------------------

Function = tuple[Callable[..., Any], dict[str, Any]]


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
    axes = a.get("axes") or tuple(range(len(a["starts"])))
    steps = a.get("steps") or (1,) * len(axes)
    return _sliced, {"bounds": tuple(zip(axes, a["starts"], a["ends"], steps, strict=True))}


def _padded(layer: Layer, shapes: Shapes) -> Function:
    a = _any(layer)
    rank = len(shapes[0]) + 1
    axes = a.get("axes") or tuple(range(rank))
    half = len(a["pads"]) // 2
    by_axis = {axis: (a["pads"][i], a["pads"][half + i]) for i, axis in enumerate(axes)}
    pads = [pad for axis in reversed(range(1, rank)) for pad in by_axis.get(axis, (0, 0))]
    mode = {"constant": "constant", "reflect": "reflect", "edge": "replicate", "wrap": "circular"}[a["mode"]]
    if mode == "constant":
        return functional.pad, {"pad": pads, "mode": mode, "value": a.get("constant_value", 0.0)}
    return functional.pad, {"pad": pads[: 2 * (rank - 2)], "mode": mode}


def _reduce(layer: Layer, shapes: Shapes) -> Function:
    functions: dict[str, Callable[..., Any]] = {
        "ReduceMean": torch.mean,
        "ReduceSum": torch.sum,
        "ReduceMax": torch.amax,
        "ReduceMin": torch.amin,
        "ReduceL2": torch.norm,
    }
    a = _any(layer)
    return functions[layer.op], {"dim": list(a["axes"]), "keepdim": bool(a["keepdims"])}


def _resize(layer: Layer, shapes: Shapes) -> Function:
    a = _any(layer)
    size = list(layer.output.shape[1:])
    aligned = a["coordinate_transformation_mode"] == "align_corners"
    if a["mode"] == "nearest":
        return functional.interpolate, {"size": size, "mode": "nearest"}
    return functional.interpolate, {"size": size, "mode": "bilinear", "align_corners": aligned}


def _squeeze(layer: Layer, shapes: Shapes) -> Function:
    return _reshape, {"shape": layer.output.shape}


def _transpose(layer: Layer, shapes: Shapes) -> Function:
    return torch.permute, {"dims": _any(layer)["perm"]}


def _split(layer: Layer, shapes: Shapes) -> Function:
    axis = _any(layer)["axis"]
    return torch.split, {"split_size_or_sections": [v.shape[axis - 1] for v in layer.outputs], "dim": axis}


def _depth_to_space(layer: Layer, shapes: Shapes) -> Function:
    if _any(layer)["mode"] != "CRD":
        raise ValueError(f"layer {layer.name}: DepthToSpace in mode DCR has no counterpart in torch")
    return functional.pixel_shuffle, {"upscale_factor": _any(layer)["blocksize"]}


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
    "Reshape": _squeeze,
    "Squeeze": _squeeze,
    "Unsqueeze": _squeeze,
    "Expand": lambda layer, shapes: (_expand, {"shape": layer.output.shape}),
    "Transpose": _transpose,
    "Pad": _padded,
    "ReduceMean": _reduce,
    "ReduceSum": _reduce,
    "ReduceMax": _reduce,
    "ReduceMin": _reduce,
    "ReduceL2": _reduce,
    "Resize": _resize,
    "DepthToSpace": _depth_to_space,
}
