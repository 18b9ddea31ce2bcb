"""SNIP: how much the loss reacts to the removal of single weights."""

import torch
from torch import Tensor

from hwnas.proxies.context import Context
from hwnas.proxies.gradients import sum_over_layers
from hwnas.proxies.registry import proxy
from hwnas.proxies.result import Measurement


@proxy(
    name="snip",
    higher_is_better=True,
    needs=("data", "labels", "gradients"),
    mode="as-is",
    summary="sum over conv and linear weights of |w * dL/dw|",
    source="Lee et al. 2019, SNIP, sensitivity, not normalised; as Abdelfattah et al. 2021",
)
def snip(context: Context) -> Measurement:
    """Return the sum over convolutions and linear layers of sum |w * dL/dw|, in units of the loss.

    w and dL/dw have the shape of the layer's weight. Layers without a gradient enter as zeros and are
    reported. The value depends on the module's mode (batch normalisation, dropout): compare like with like.
    """
    return sum_over_layers(context.gradients, _saliency)


def _saliency(weight: Tensor, gradient: Tensor) -> Tensor:
    return (weight * gradient).abs().sum(dtype=torch.float64)
