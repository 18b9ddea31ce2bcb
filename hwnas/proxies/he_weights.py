"""He's normal weights for a module, as TE-NAS asks for them."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from hwnas.proxies.layers import covered_weights

Fan = Literal["fan_in", "fan_out"]


@torch.no_grad()
def he_normal(module: nn.Module, fan: Fan) -> None:
    """Weights of convolutions and linear layers from N(0, 2 / fan), zero biases; gains stay as they are."""
    for weight in covered_weights(module).values():
        nn.init.kaiming_normal_(weight, mode=fan, nonlinearity="relu")
    for part in module.modules():
        bias = part._parameters.get("bias")
        if isinstance(bias, Tensor):
            bias.zero_()
