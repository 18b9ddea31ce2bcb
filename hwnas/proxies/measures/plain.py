"""The signed sum of what the loss loses by the removal of single weights."""

import torch
from torch import Tensor

from hwnas.proxies.context import Context
from hwnas.proxies.gradients import sum_over_layers
from hwnas.proxies.registry import proxy
from hwnas.proxies.result import Measurement


@proxy(
    name="plain",
    higher_is_better=False,
    needs=("data", "labels", "gradients"),
    mode="as-is",
    summary="sum over conv and linear weights of w * dL/dw, signed",
    source="Abdelfattah et al. 2021, Zero-Cost Proxies for Lightweight NAS (their code: plain)",
)
def plain(context: Context) -> Measurement:
    """Return the sum over convolutions and linear layers of sum w * dL/dw, in units of the loss.

    Terms of both signs cancel. A convolution followed by batch normalisation in train mode has the term 0,
    up to the normalisation's eps, since the loss does not react to its scale: what is left comes from the
    classifier and from layers that are not normalised. Lower is better by what was measured on
    NAS-Bench-201 (Spearman -0.26): the definition has no direction of its own.
    """
    return sum_over_layers(context.gradients, _signed)


def _signed(weight: Tensor, gradient: Tensor) -> Tensor:
    return (weight * gradient).sum(dtype=torch.float64)
