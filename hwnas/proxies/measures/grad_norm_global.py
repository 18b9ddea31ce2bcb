"""The norm of the whole gradient."""

import math
from dataclasses import replace

import torch
from torch import Tensor

from hwnas.proxies.context import Context
from hwnas.proxies.gradients import sum_over_layers
from hwnas.proxies.registry import proxy
from hwnas.proxies.result import Measurement


@proxy(
    name="grad_norm_global",
    higher_is_better=True,
    needs=("data", "labels", "gradients"),
    mode="as-is",
    summary="L2 norm of the gradient by all conv and linear weights together",
    source="Wang et al. 2020, Picking winning tickets before training; as White et al. 2022",
)
def grad_norm_global(context: Context) -> Measurement:
    """Return the L2 norm of dL/dW over all convolutions and linear layers together.

    Where `grad_norm` adds up the norms of the layers, this is the norm of all of them as one vector. Weights
    only (biases and normalisation left out), at the module's own initialisation. Undefined where no layer
    has a gradient.
    """
    squares = sum_over_layers(context.gradients, _square)
    return replace(squares, value=math.sqrt(squares.value)) if squares.reason is None else squares


def _square(weight: Tensor, gradient: Tensor) -> Tensor:
    return gradient.square().sum(dtype=torch.float64)
