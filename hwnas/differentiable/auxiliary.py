"""A skip beside each mixture of a supernet, whose weight fades (DARTS-)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from hwnas.differentiable.skips import auxiliary_networks
from hwnas.differentiable.supernet.module import Supernet
from hwnas.network.to_torch import to_torch


class AuxiliarySkips(nn.Module):
    """Adds `weight` · skip(x) to what each mixture gives for x.

    Where a skip changes the shape it is the layers of the space's own, with weights of its own, which are
    this module's parameters.

    Args:
        supernet: whose mixtures they stand beside from now on.

    Raises:
        ValueError: a mixture of the space has no skip.
    """

    def __init__(self, supernet: Supernet) -> None:
        super().__init__()
        self.weight = 0.0
        self.skips = nn.ModuleList()
        for path, network in auxiliary_networks(supernet.supernetwork).items():
            skip = to_torch(network) if network.items else nn.Identity()
            self.skips.append(skip)
            supernet.body.get_submodule(path).register_forward_hook(self._beside(skip))

    def _beside(self, skip: nn.Module) -> Callable[[nn.Module, Any, Tensor], Tensor]:
        def hook(_: nn.Module, inputs: tuple[Tensor], output: Tensor) -> Tensor:
            return output + self.weight * skip(inputs[0]) if self.weight else output

        return hook
