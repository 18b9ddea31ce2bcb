"""One constant as every weight of a module."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn

_EMBEDDINGS = (nn.Embedding, nn.EmbeddingBag)
_NAMED_OTHERWISE = (nn.RNNBase, nn.RNNCellBase, nn.MultiheadAttention)


@dataclass(frozen=True, eq=False)
class SettableWeights:
    """The parameters that take the constant, and what does not.

    Attributes:
        weights: set to the constant.
        biases: set to 0.
        layers: how many modules hold such a weight.
        skipped: names of modules with parameters that keep their values: embeddings (the inputs would all
            look alike), layers that share an embedding's weight, and parameters that are no weight of a
            known kind (a position encoding, a layer scale, the parts of a parametrised weight).
    """

    weights: tuple[nn.Parameter, ...]
    biases: tuple[nn.Parameter, ...]
    layers: int
    skipped: tuple[str, ...]

    @torch.no_grad()
    def fill(self, weight: float) -> None:
        """Set every weight to `weight` and every bias to 0."""
        for parameter in self.weights:
            parameter.fill_(weight)
        for parameter in self.biases:
            parameter.zero_()


def settable_weights(module: nn.Module) -> SettableWeights:
    """Find the parameters called `weight` and `bias` of all modules, and those of RNNs and attention.

    A parameter of two owners is set once; one that an embedding owns keeps its values everywhere.
    """
    kept = {
        id(parameter)
        for part in module.modules()
        if isinstance(part, _EMBEDDINGS)
        for parameter in part.parameters(recurse=False)
    }
    weights: dict[int, nn.Parameter] = {}
    biases: dict[int, nn.Parameter] = {}
    layers, skipped = 0, []
    for name, part in module.named_modules():
        kinds = [(_kind(part, own), parameter) for own, parameter in _own_parameters(part)]
        kinds = [("other" if id(p) in kept else kind, p) for kind, p in kinds]
        weights.update((id(p), p) for kind, p in kinds if kind == "weight")
        biases.update((id(p), p) for kind, p in kinds if kind == "bias")
        layers += any(kind == "weight" for kind, _ in kinds)
        if any(kind == "other" for kind, _ in kinds):
            skipped.append(name or "(root)")
    return SettableWeights(tuple(weights.values()), tuple(biases.values()), layers, tuple(skipped))


def _own_parameters(part: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    return ((name, parameter) for name, parameter in part._parameters.items() if parameter is not None)


def _kind(part: nn.Module, name: str) -> str:
    if isinstance(part, _NAMED_OTHERWISE):
        return "bias" if "bias" in name else "weight"
    return name if name in ("weight", "bias") else "other"
