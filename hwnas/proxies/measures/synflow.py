"""SynFlow: the flow through the network when every weight is positive."""

import math
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from hwnas.proxies.context import Context
from hwnas.proxies.gradients import sum_over_layers, weight_gradients
from hwnas.proxies.layers import covered_weights
from hwnas.proxies.registry import proxy
from hwnas.proxies.result import Measurement

_SOURCE = "Tanaka et al. 2020, Pruning neural networks without any data, R_SF; as Abdelfattah et al. 2021"


@proxy(
    name="synflow",
    higher_is_better=True,
    needs=("shape", "gradients"),
    mode="as-is",
    summary="log of the sum over conv and linear weights of |w * dR/dw|, batch normalisation bypassed",
    source=_SOURCE,
)
def synflow(context: Context) -> Measurement:
    """Return log( sum over convolutions and linear layers of |w * dR/dw| ), computed in float64.

    R is the sum of the outputs for one image of ones, (1, ...), after every entry of the module's state dict
    (weights, biases, running statistics) is replaced by its absolute value. Batch normalisation of any number
    of axes is the identity, whether called as a module or as a function; other normalisations stay. Biases
    stay, so that exp(value) is the sum that the reference implementation (foresight) returns. No data are
    used. The value is -inf, with a reason, when nothing flows from the input to the outputs.
    """
    return _log_flow(context, bypass_batch_norm=True)


@proxy(
    name="synflow_bn",
    higher_is_better=True,
    needs=("shape", "gradients"),
    mode="as-is",
    summary="synflow with batch normalisation left active",
    source=_SOURCE,
)
def synflow_bn(context: Context) -> Measurement:
    """Return what `synflow` returns, but with batch normalisation left active.

    In train mode it normalises by the statistics of the one image; torch raises a ValueError there when a
    channel has a single value (BatchNorm1d after a linear layer).
    """
    return _log_flow(context, bypass_batch_norm=False)


def _log_flow(context: Context, *, bypass_batch_norm: bool) -> Measurement:
    module = context.copy().double()
    _make_positive(module)

    for weight in covered_weights(module).values():
        weight.requires_grad_(True)
    with _BatchNormBypass() if bypass_batch_norm else nullcontext():
        flow = context.outputs(module, context.one_image(1.0, torch.float64)).sum()
    total = sum_over_layers(weight_gradients(module, flow), _absolute_flow)
    total = replace(total, dtype="float64")
    if total.value == 0:
        return replace(total, value=-math.inf, reason="nothing flows from the input to the outputs: log(0)")
    return replace(total, value=math.log(total.value)) if total.reason is None else total


@torch.no_grad()
def _make_positive(module: nn.Module) -> None:
    for tensor in module.state_dict().values():
        if isinstance(tensor, Tensor) and tensor.is_floating_point():
            tensor.abs_()


def _absolute_flow(weight: Tensor, gradient: Tensor) -> Tensor:
    return (weight * gradient).abs().sum()


class _BatchNormBypass(TorchFunctionMode):
    """Batch normalisation returns a copy of its input."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        keywords = kwargs or {}
        if func in (nn.functional.batch_norm, torch.batch_norm):
            return (args[0] if args else keywords["input"]).clone()
        return func(*args, **keywords)
