"""Fisher: how much the loss reacts to the removal of single channels."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from hwnas.proxies.context import Context
from hwnas.proxies.gradients import sum_of_terms
from hwnas.proxies.registry import proxy
from hwnas.proxies.result import Measurement


@proxy(
    name="fisher",
    higher_is_better=True,
    needs=("data", "labels", "gradients", "activations"),
    mode="train",
    summary="sum over conv and linear channels of 0.5 mean_n (sum_hw a * dL/da)^2, times weights per filter",
    source="Turner et al. 2020, BlockSwap, eq. 2; as Abdelfattah et al. 2021",
)
def fisher(context: Context) -> Measurement:
    """Return the sum over layers and output channels k of D_k times the number of weights of its filter.

    D_k = 0.5 * mean over images of ( sum over positions of a * dL/da )^2, where a (B, channels, ...) is the
    output of the convolution or linear layer, before any normalisation. The factor (input channels per group
    times kernel size) is that of Abdelfattah et al., who spread D_k over the weights; BlockSwap has none. A
    layer that is called several times, or whose weight another layer shares, has one a * dL/da: the sum over
    its calls, as a mask of its channels would feel it. A layer whose weight is used without calling it
    (`F.linear(x, layer.weight)`, attention's output projection) shows no output: it adds nothing and is
    named in `layers_skipped`. Always in train mode; scales as 1/B^2. Undefined where
    no layer has a gradient.
    """
    found = context.gradients
    terms = dict.fromkeys(found.weights, 0.0)
    unseen = [
        name for name in found.weights if name not in found.activations and name not in found.without_gradient
    ]
    for name, calls in found.activations.items():
        weight = found.weights[name]
        felt = torch.stack([_felt_by_channels(a, gradient, weight) for a, gradient in calls]).sum(0)
        per_filter = weight.numel() / felt.shape[1]
        terms[name] = 0.5 * float(felt.square().mean(0).sum()) * per_filter
    total = sum_of_terms(found, terms)
    return replace(
        total,
        layers_used=total.layers_used - len(unseen),
        layers_skipped=(*total.layers_skipped, *unseen),
    )


def _felt_by_channels(activations: Tensor, gradient: Tensor, weight: nn.Parameter) -> Tensor:
    """Sum of a * dL/da over all but images and channels: (B, channels), in float64."""
    product = activations * gradient
    # Of a linear layer the channels are the last axis, of a convolution the second.
    channels = product.ndim - 1 if weight.ndim == 2 else 1
    others = tuple(axis for axis in range(1, product.ndim) if axis != channels)
    return (product.sum(others) if others else product).double()
