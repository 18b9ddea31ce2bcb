"""Supernets whose candidates share weights: a smaller kernel or expansion is a part of the largest one's.

Cai et al., "Once-for-All: Train One Network and Specialize it for Efficient Deployment", ICLR 2020, section
3.3. A smaller depth leaves the last layers of a stage out, as the supernetworks of the spaces have it. Not
taken from there: the learned transformation between kernel sizes, and the sorting of channels by importance.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.func import functional_call

from hwnas.differentiable.oneshot.elastic_parts import sharing
from hwnas.differentiable.supernet.mixture import Mixture, weighted_sum
from hwnas.differentiable.supernet.module import Supernet
from hwnas.network.network import Network
from hwnas.spaces.supernetwork import Supernetwork


class ElasticMixture(Mixture):
    """A mixture whose candidates compute with parts of shared tensors; statistics are each one's own.

    Args:
        mixture: whose candidates these are; it is of no use afterwards.
        networks: what the candidates compute, by number.

    Attributes:
        shared: the shared tensors, which gradients of all candidates flow into.
    """

    def __init__(self, mixture: Mixture, networks: Mapping[int, Network]) -> None:
        modules = {number: mixture.candidates[str(number)] for number in networks}
        super().__init__(modules, mixture.shape)
        plan = sharing(networks)
        self.parts = plan.parts
        self.shared = nn.ParameterList([modules[number].get_parameter(name) for number, name in plan.wholes])
        for number, parts in plan.parts.items():
            for name in parts:
                path, _, leaf = name.rpartition(".")
                modules[number].get_submodule(path).register_parameter(leaf, None)

    def forward(self, x: Tensor) -> Tensor:
        """`[n, *]` -> `[n, *shape]`, with the `weighting` that was set beforehand."""
        active, values, weights = self.weighting.active, self.weighting.values, self.weighting.weights
        if not active:
            return x.new_zeros(len(x), *self.shape)
        return weighted_sum([self._candidate(number, x) for number in active], values, weights)

    def weights_of(self, number: int) -> dict[str, Tensor]:
        """The parts that a candidate computes with, by its own names."""
        return {name: self.shared[part.whole][part.cut] for name, part in self.parts[number].items()}

    def _candidate(self, number: int, x: Tensor) -> Tensor:
        result: Tensor = functional_call(self.candidates[str(number)], self.weights_of(number), (x,))
        return result


class ElasticSupernet(Supernet):
    """A supernet of elastic mixtures: a block has as many weights as its largest candidate.

    Statistics of normalisation are each candidate's own and of no use but after a recalibration, since they
    depend on what the layers before were cut to.

    Args:
        supernetwork: of a space.
    """

    def __init__(self, supernetwork: Supernetwork) -> None:
        super().__init__(supernetwork)
        for path, candidates in supernetwork.mixtures.items():
            networks = {
                number: candidate.network
                for number, candidate in enumerate(candidates)
                if candidate.network is not None
            }
            parent, _, leaf = path.rpartition(".")
            mixture = ElasticMixture(self._mixture(path), networks)
            setattr(self.body.get_submodule(parent), leaf, mixture)

    @torch.no_grad()
    def inherited(self, choices: Mapping[str, int]) -> dict[str, Tensor]:
        """The weights and statistics of the network of these choices, by its own names for them.

        Args:
            choices: an index for each group, as `supernetwork.choices(architecture)` gives them.
        """
        found = {
            name: tensor
            for name, tensor in super().inherited(choices).items()
            if not name.startswith(tuple(f"{path}.shared." for path in self.supernetwork.mixtures))
        }
        for path, candidates in self.supernetwork.mixtures.items():
            mixture = self._mixture(path)
            assert isinstance(mixture, ElasticMixture)
            (number,) = [number for number, one in enumerate(candidates) if one.is_chosen(choices)]
            if candidates[number].network is not None:
                weights = mixture.weights_of(number)
                found |= {f"{path}.{name}": tensor for name, tensor in weights.items()}
        return found
