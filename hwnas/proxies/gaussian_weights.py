"""Standard normal weights for a private copy of a module, as the Zen-Score asks for them."""

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from hwnas.proxies.layers import covered_weights

_NORMALISATIONS = (_NormBase, nn.GroupNorm, nn.LayerNorm, nn.RMSNorm)


@torch.no_grad()
def standard_normal(module: nn.Module) -> None:
    """Draw all weights of convolutions and linear layers from N(0, 1), in the order of `modules()`.

    Their biases become 0; the gains of normalisations 1 and their biases 0. Other parameters stay. The
    numbers are those of float32 on the CPU, whatever the module's dtype and device.
    """
    for weight in covered_weights(module).values():
        weight.copy_(normal_like(weight))
    covered = {id(weight) for weight in covered_weights(module).values()}
    for part in module.modules():
        own, bias = part._parameters.get("weight"), part._parameters.get("bias")
        if isinstance(part, _NORMALISATIONS) and own is not None:
            own.fill_(1)
        if bias is not None and (id(own) in covered or isinstance(part, _NORMALISATIONS)):
            bias.zero_()


def normal_like(tensor: Tensor) -> Tensor:
    """Draw N(0, 1) in the tensor's shape: in float32 on the CPU, then in its dtype and on its device."""
    return torch.randn(tensor.shape, dtype=torch.float32).to(tensor)
