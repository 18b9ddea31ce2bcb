"""Layers that candidates begin with in common, computed once for each tensor that they are given."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, fx, nn
from torch.utils.weak import WeakTensorKeyDictionary

from hwnas.network.network import Network

SHARED_OPERATORS = {"AveragePool", "Clip", "HardSwish", "MaxPool", "Relu", "Sigmoid"}


class CommonLayers:
    """The layers without weights that the candidates of a supernet begin with, one module for equal ones.

    All candidates of all edges that leave a node of a cell read one tensor, and most begin with the same
    activation of it, or are the same pooling of it.
    """

    def __init__(self) -> None:
        self._modules: dict[tuple[str, str], _Once] = {}

    def replace_in(self, candidate: fx.GraphModule, network: Network) -> None:
        """Put the common modules in place of the candidate's own.

        Args:
            candidate: that `to_torch` made of `network`.
            network: of a candidate.
        """
        for layer in network.layers:
            if layer.op in SHARED_OPERATORS and layer.inputs == (network.inputs[0].name,):
                kind = layer.op, repr(sorted(layer.attributes.items()))
                if kind not in self._modules:
                    self._modules[kind] = _Once(candidate.get_submodule(layer.name))
                candidate.set_submodule(layer.name, self._modules[kind])

    @contextmanager
    def one_pass(self) -> Iterator[None]:
        """What is computed within is kept for the other candidates, at most until it ends."""
        for module in self._modules.values():
            module.known = WeakTensorKeyDictionary()
        try:
            yield
        finally:
            for module in self._modules.values():
                module.known = None


class _Once(nn.Module):
    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer
        self.known: Any = None

    def forward(self, x: Tensor) -> Tensor:
        if self.known is None:
            return self._computed(x)
        if x not in self.known:
            self.known[x] = self._computed(x)
        found: Tensor = self.known[x]
        return found

    def _computed(self, x: Tensor) -> Tensor:
        result: Tensor = self.layer(x)
        return result
