"""The operators that are modules in torch; the others are in `torch_functions`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional

from hwnas.network.network import Layer, Shape

Shapes: TypeAlias = list[Shape]
Make: TypeAlias = Callable[[Layer, Shapes, Shapes], nn.Module]

SELU_ALPHA, SELU_GAMMA = 1.67326319217681884765625, 1.05070102214813232421875


def _fits_torch(a: Any) -> bool:
    """Whether torch can express a window's padding: equal at both ends, at most half a pooling kernel."""
    half = len(a["pads"]) // 2
    small = "group" in a or all(2 * p <= k for p, k in zip(a["pads"], a["kernel_shape"], strict=False))
    return small and a["pads"][:half] == a["pads"][half:]


def _window(layer: Layer, make: Callable[[Any], nn.Module], fill: float = 0.0) -> nn.Module:
    """A sliding-window module; padding that torch's own cannot express is added to its input by a hook."""
    a: Any = layer.attributes
    half = len(a["pads"]) // 2
    begins, ends = a["pads"][:half], a["pads"][half:]
    if _fits_torch(a):
        return make(begins)
    if a.get("ceil_mode"):
        raise ValueError(f"layer {layer.name}: {layer.op} with ceil_mode and padding {a['pads']}")
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
    classes = {1: nn.ConvTranspose1d, 2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
    return classes[half](
        parameters[0][0],
        parameters[0][1] * a["group"],
        a["kernel_shape"],
        stride=a["strides"],
        padding=a["pads"][:half],
        output_padding=a["output_padding"],
        groups=a["group"],
        bias=len(parameters) > 1,
        dilation=a["dilations"],
    )


def _max_pool(layer: Layer, shapes: Shapes, parameters: Shapes) -> nn.Module:
    a: Any = layer.attributes
    ceil = bool(a["ceil_mode"])
    kind = {1: nn.MaxPool1d, 2: nn.MaxPool2d, 3: nn.MaxPool3d}[len(a["kernel_shape"])]
    return _window(
        layer,
        lambda pads: kind(a["kernel_shape"], a["strides"], pads, a["dilations"], ceil_mode=ceil),
        float("-inf"),
    )


def _average_pool(layer: Layer, shapes: Shapes, parameters: Shapes) -> nn.Module:
    a: Any = layer.attributes
    if any(step != 1 for step in a["dilations"]):
        raise ValueError(f"layer {layer.name}: AveragePool with dilations {a['dilations']}")
    counted, ceil = bool(a["count_include_pad"]), bool(a["ceil_mode"])
    if not _fits_torch(a) and not counted:
        raise ValueError(f"layer {layer.name}: AveragePool with padding {a['pads']} that is not counted")
    kind = {1: nn.AvgPool1d, 2: nn.AvgPool2d, 3: nn.AvgPool3d}[len(a["kernel_shape"])]
    return _window(
        layer,
        lambda pads: kind(a["kernel_shape"], a["strides"], pads, ceil_mode=ceil, count_include_pad=counted),
    )


def _global_pool(layer: Layer, shapes: Shapes, parameters: Shapes) -> nn.Module:
    dims = len(shapes[0]) - 1
    if layer.op == "GlobalAveragePool":
        return {1: nn.AdaptiveAvgPool1d, 2: nn.AdaptiveAvgPool2d, 3: nn.AdaptiveAvgPool3d}[dims](1)
    return {1: nn.AdaptiveMaxPool1d, 2: nn.AdaptiveMaxPool2d, 3: nn.AdaptiveMaxPool3d}[dims](1)


def _batch_norm(layer: Layer, shapes: Shapes, parameters: Shapes) -> nn.Module:
    classes = {1: nn.BatchNorm1d, 2: nn.BatchNorm1d, 3: nn.BatchNorm2d, 4: nn.BatchNorm3d}
    a: Any = layer.attributes
    return classes[len(shapes[0])](parameters[0][0], eps=a["epsilon"], momentum=1 - a["momentum"])


def _instance_norm(layer: Layer, shapes: Shapes, parameters: Shapes) -> nn.Module:
    classes = {2: nn.InstanceNorm1d, 3: nn.InstanceNorm2d, 4: nn.InstanceNorm3d}
    a: Any = layer.attributes
    return classes[len(shapes[0])](parameters[0][0], eps=a["epsilon"], affine=True)


def _group_norm(layer: Layer, shapes: Shapes, parameters: Shapes) -> nn.Module:
    a: Any = layer.attributes
    return nn.GroupNorm(a["num_groups"], parameters[0][0], eps=a["epsilon"])


def _response_norm(layer: Layer, shapes: Shapes, parameters: Shapes) -> nn.Module:
    a: Any = layer.attributes
    if a["size"] % 2 == 0:
        raise ValueError(f"layer {layer.name}: LRN over an even number of channels ({a['size']})")
    return nn.LocalResponseNorm(a["size"], a["alpha"], a["beta"], a["bias"])


class _PRelu(nn.PReLU):
    """A leaky ReLU whose slopes broadcast to the input as ONNX has it: `[c, 1, 1]` for one per channel."""

    def __init__(self, shape: Shape) -> None:
        super().__init__(math.prod(shape))
        self.weight = nn.Parameter(self.weight.detach().reshape(shape))

    def forward(self, x: Tensor) -> Tensor:
        return torch.where(x < 0, self.weight * x, x)


def _selu(layer: Layer, shapes: Shapes, parameters: Shapes) -> nn.Module:
    a: Any = layer.attributes
    if not (
        math.isclose(a["alpha"], SELU_ALPHA, rel_tol=1e-6)
        and math.isclose(a["gamma"], SELU_GAMMA, rel_tol=1e-6)
    ):
        raise ValueError(f"layer {layer.name}: Selu with constants of its own")
    return nn.SELU()


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


def _plain(kind: Callable[[], nn.Module]) -> Make:
    return lambda layer, shapes, parameters: kind()


def _alpha(kind: Callable[[float], nn.Module]) -> Make:
    return lambda layer, shapes, parameters: kind(layer.attributes["alpha"])  # type: ignore[arg-type]


def _any(layer: Layer) -> Any:
    return layer.attributes


# From a layer, the shapes of its values and those of its parameters.
MODULES: dict[str, Make] = {
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "Gemm": _gemm,
    "BatchNormalization": _batch_norm,
    "InstanceNormalization": _instance_norm,
    "GroupNormalization": _group_norm,
    "LayerNormalization": _layer_norm,
    "LRN": _response_norm,
    "MaxPool": _max_pool,
    "AveragePool": _average_pool,
    "GlobalAveragePool": _global_pool,
    "GlobalMaxPool": _global_pool,
    "Relu": _plain(nn.ReLU),
    "Clip": _clip,
    "LeakyRelu": _alpha(nn.LeakyReLU),
    "Elu": _alpha(nn.ELU),
    "Celu": _alpha(nn.CELU),
    "Selu": _selu,
    "PRelu": lambda layer, shapes, parameters: _PRelu(parameters[0]),
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
}
