"""A supernetwork as a torch module: the skeleton's layers, and every candidate's, with their own weights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from itertools import chain

import torch
from torch import Tensor, nn

from hwnas.differentiable.supernet.common_layers import CommonLayers
from hwnas.differentiable.supernet.mixture import Factors, Mixture, Weighting
from hwnas.differentiable.supernet.relaxations import Relaxed
from hwnas.differentiable.supernet.replaced import replaced
from hwnas.differentiable.supernet.weights import CandidateWeights
from hwnas.network.network import Block, Item, Layer, Network
from hwnas.network.to_torch import to_torch
from hwnas.spaces.supernetwork import Candidate, Supernetwork


class Supernet(nn.Module):
    """All networks of a space in one module; its parameters are weights of layers and nothing else.

    All layers are those that `to_torch` makes, under the network's names; those of candidate i of the mixture
    `stage1.block0` stand in `body.stage1.block0.candidates.i`. The architecture parameters stand apart, on
    the CPU (`initial_logits`).

    Args:
        supernetwork: of a space.

    Attributes:
        weights: from probabilities to the weights of the candidates.
    """

    def __init__(self, supernetwork: Supernetwork) -> None:
        super().__init__()
        self.supernetwork = supernetwork
        self.weights = CandidateWeights(supernetwork)
        self._common = CommonLayers()
        skeleton = _with_stand_ins(supernetwork)
        shapes = {layer.name: layer.output.shape for layer in skeleton.layers}
        self.body = to_torch(skeleton)
        for path, candidates in supernetwork.mixtures.items():
            mixture = Mixture(self._modules_of(candidates), shapes[path], _factors(candidates))
            parent, _, leaf = path.rpartition(".")
            setattr(self.body.get_submodule(parent), leaf, mixture)

    def forward(self, x: Tensor, relaxed: Relaxed) -> Tensor:
        """`[n, *input] -> [n, *output]`, differentiable in the probabilities where they require gradients."""
        weightings = self._weightings(relaxed, x)
        for path, weighting in weightings.items():
            self._mixture(path).weighting = weighting
        try:
            with self._common.one_pass():
                result: Tensor = self.body(x)
        finally:
            for path in weightings:
                self._mixture(path).weighting = Weighting((), (), None)
        return result

    def inherited(self, choices: Mapping[str, int]) -> dict[str, Tensor]:
        """The weights and statistics of the network of these choices, by its own names for them.

        Args:
            choices: an index for each group, as `supernetwork.choices(architecture)` gives them.
        """
        chosen = {
            f"{path}.candidates.{number}."
            for path, candidates in self.supernetwork.mixtures.items()
            for number, candidate in enumerate(candidates)
            if candidate.is_chosen(choices)
        }
        found = {}
        for name, tensor in self.body.state_dict().items():
            path, inside, rest = name.partition(".candidates.")
            number, _, leaf = rest.partition(".")
            if not inside:
                found[name] = tensor
            elif f"{path}{inside}{number}." in chosen:
                found[f"{path}.{leaf}"] = tensor
        return found

    def _modules_of(self, candidates: tuple[Candidate, ...]) -> dict[int, nn.Module]:
        found: dict[int, nn.Module] = {}
        for number, candidate in enumerate(candidates):
            if candidate.network is not None:
                found[number] = module = to_torch(candidate.network)
                self._common.replace_in(module, candidate.network)
        return found

    def _mixture(self, path: str) -> Mixture:
        found = self.body.get_submodule(path)
        assert isinstance(found, Mixture)
        return found

    @cached_property
    def _rows(self) -> dict[str, list[tuple[int, int]]]:
        """By mixture the number and the row of each candidate that is not zero."""
        return {
            path: [
                (number, row)
                for number, row in enumerate(self.weights.rows[path])
                if candidates[number].network is not None
            ]
            for path, candidates in self.supernetwork.mixtures.items()
        }

    def _weightings(self, relaxed: Relaxed, like: Tensor) -> dict[str, Weighting]:
        weights = self.weights(relaxed.probabilities)
        computed = self.weights(relaxed.active).tolist()
        values = weights.tolist()
        active = {path: [pair for pair in rows if computed[pair[1]]] for path, rows in self._rows.items()}
        tensors: list[Tensor] | list[None] = [None] * len(active)
        if weights.requires_grad and torch.is_grad_enabled():
            rows = torch.tensor([row for _, row in chain(*active.values())], dtype=torch.long)
            tensors = list(torch.split(weights[rows].to(like), [len(pairs) for pairs in active.values()]))
        return {
            path: Weighting(
                tuple([number for number, _ in pairs]), tuple([values[row] for _, row in pairs]), tensor
            )
            for (path, pairs), tensor in zip(active.items(), tensors, strict=True)
        }


def _factors(candidates: tuple[Candidate, ...]) -> dict[int, Factors]:
    """Those of candidates that end in batch normalisation, or in adding its result to their input."""
    found = {}
    for number, candidate in enumerate(candidates):
        if candidate.network is not None and candidate.network.layers:
            factors = _factors_of(candidate.network)
            if factors is not None:
                found[number] = factors
    return found


def _factors_of(network: Network) -> Factors | None:
    last = network.layers[-1]
    if last.op == "BatchNormalization":
        return Factors(last.inputs[1:3])
    if last.op != "Add" or network.inputs[0].name not in last.inputs:
        return None
    readers = Counter(name for layer in network.layers for name in layer.inputs)
    for layer in network.layers:
        name = layer.outputs[0].name
        if layer.op == "BatchNormalization" and name in last.inputs and readers[name] == 1:
            return Factors(layer.inputs[1:3], adds_input=True)
    return None


def _with_stand_ins(supernetwork: Supernetwork) -> Network:
    """The skeleton with one layer in place of each mixture's block."""

    def stand_in(path: str, block: Block) -> Item | None:
        if path not in supernetwork.mixtures:
            return None
        return Layer(block.name, "Relu", block.inputs, block.outputs, {})

    return replaced(supernetwork.skeleton, stand_in)
