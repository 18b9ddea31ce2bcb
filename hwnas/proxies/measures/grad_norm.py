"""The norm of the gradient, layer by layer."""

import torch
from torch import Tensor

from hwnas.proxies.context import Context
from hwnas.proxies.gradients import sum_over_layers
from hwnas.proxies.registry import proxy
from hwnas.proxies.result import Measurement


@proxy(
    name="grad_norm",
    higher_is_better=True,
    needs=("data", "labels", "gradients"),
    mode="as-is",
    summary="sum over conv and linear layers of the L2 norm of dL/dW",
    source="Abdelfattah et al. 2021, Zero-Cost Proxies for Lightweight NAS",
)
def grad_norm(context: Context) -> Measurement:
    """Return the sum over convolutions and linear layers of ||dL/dW||_2.

    The sum of the layers' norms, not the norm of all gradients together. Layers without a gradient enter as
    zeros and are reported. The value depends on the module's mode: compare like with like.
    """
    return sum_over_layers(context.gradients, _norm)


def _norm(weight: Tensor, gradient: Tensor) -> Tensor:
    return gradient.square().sum(dtype=torch.float64).sqrt()
