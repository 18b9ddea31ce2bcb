"""A differentiable bound on the peak memory of chains of blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor

from hwnas.cost import peak_sram_bytes
from hwnas.differentiable.supernet.weights import CandidateWeights
from hwnas.network.network import Block, Network, Value, cut_layer
from hwnas.spaces.supernetwork import Supernetwork

Peak = Callable[[Network], float]


def live_bytes(block: Network) -> float:
    """Bytes of the int8 tensors alive at the fullest moment of a block, its input and output included."""
    return float(peak_sram_bytes(block, "liveness"))


class ExpectedPeak:
    """max over blocks of Σ_o weight_o · peak_o, in bytes: a number in float64.

    A chain needs what its hungriest block needs, so that with one-hot probabilities it is the peak of that
    architecture's network. In between it is at most the expected peak, by Jensen's inequality: of a choice
    that is still open, a lower bound. Gradients go to the blocks where the maximum is.

    Args:
        weights: of the candidates of a supernetwork that is a chain.
        peak: of one block by itself; the default is the lower bound of all runtimes.

    Raises:
        ValueError: the supernetwork is no chain of blocks; names what stands beside a mixture.
    """

    def __init__(self, weights: CandidateWeights, peak: Peak = live_bytes) -> None:
        self.weights = weights
        supernetwork = weights.supernetwork
        _require_chain(supernetwork)
        self._fixed = max((peak(block) for block in _fixed_blocks(supernetwork)), default=0.0)
        self._peaks = torch.zeros(len(supernetwork.mixtures), len(weights), dtype=torch.float64)
        known: dict[Network, float] = {}
        for place, (path, candidates) in enumerate(supernetwork.mixtures.items()):
            for row, candidate in zip(weights.rows[path], candidates, strict=True):
                network = candidate.network
                if network is not None and network.items:
                    known[network] = known[network] if network in known else peak(network)
                    self._peaks[place, row] += known[network]

    def __call__(self, probabilities: Mapping[str, Tensor]) -> Tensor:
        """The bound at these probabilities, which are given for every group, `[choices]`."""
        return self.at(self.weights(probabilities))

    def at(self, weights: Tensor) -> Tensor:
        """The bound, `[*]`, at these weights of the candidates, `[rows, *]`."""
        greatest = (self._peaks @ weights).amax(dim=0)
        return greatest.clamp(min=self._fixed)


def _require_chain(supernetwork: Supernetwork) -> None:
    """Raise ValueError unless one value lives between the items at the top, where all mixtures stand."""
    skeleton = supernetwork.skeleton
    top = {item.name for item in skeleton.items}
    inside = [f"{path} stands inside a cell" for path in supernetwork.mixtures if path not in top]
    reads = Counter(name for item in skeleton.items for name in set(item.inputs))
    values = [*skeleton.inputs, *(value for item in skeleton.items for value in item.outputs)]
    branching = [f"{value.name} is read more than once" for value in values if reads[value.name] > 1]
    if inside or branching:
        raise ValueError(
            f"space {supernetwork.space.name}: a bound on peak memory needs a chain of blocks, and "
            f"{(inside + branching)[0]}"
        )


def _fixed_blocks(supernetwork: Supernetwork) -> Iterator[Network]:
    """The items at the top of the skeleton that are no mixtures."""
    skeleton = supernetwork.skeleton
    values: dict[str, Value] = {value.name: value for value in skeleton.inputs}
    for item in skeleton.items:
        values.update((value.name, value) for value in item.outputs)
        if isinstance(item, Block):
            if item.name not in supernetwork.mixtures:
                yield item.network
        else:
            yield cut_layer(item, values, skeleton.own_parameters)
