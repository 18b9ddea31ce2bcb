"""Statistics of batch normalisation, measured anew for weights that were trained in other company."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from hwnas.network.modes import evaluation_mode


@torch.no_grad()
def recalibrate(module: nn.Module, batches: Iterable[Tensor]) -> None:
    """Set the running means and variances to the averages over `batches`, each counting alike.

    Guo et al., "Single Path One-Shot Neural Architecture Search with Uniform Sampling", ECCV 2020, section
    3.3; Cai et al., ICLR 2020, likewise. Everything else of the module stays as it is, in evaluation mode
    meanwhile; a module without batch normalisation is not run.

    Args:
        module: takes a batch; its modes are restored.
        batches: prepared train images, `[n, c, h, w]` each, on the module's device.
    """
    layers = [layer for layer in module.modules() if isinstance(layer, _BatchNorm)]
    if not layers:
        return
    momenta = [layer.momentum for layer in layers]
    with evaluation_mode(module):
        for layer in layers:
            layer.reset_running_stats()
            layer.momentum = None  # torch's word for a plain average
            layer.train()
        for batch in batches:
            module(batch)
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
