"""Whether the output of a network depends on its input: edges that give zeros can cut it off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate

import torch
from torch import Tensor

from hwnas.differentiable.supernet.weights import CandidateWeights
from hwnas.network.network import Block, Network, join


def connected(weights: CandidateWeights, chosen: Tensor) -> Tensor:
    """Whether a path without an edge that gives zeros leads from input to output, bool `[n]`.

    Args:
        weights: of the candidates.
        chosen: `weights.at` the choices of n architectures, `[rows, n]`.
    """
    zeros = {
        path: chosen[row] > 0
        for path, candidates in weights.supernetwork.mixtures.items()
        for row, candidate in zip(weights.rows[path], candidates, strict=True)
        if candidate.network is None
    }
    inside = {prefix for path in zeros for prefix in accumulate(path.split(".")[:-1], join)}
    skeleton = weights.supernetwork.skeleton
    everywhere = torch.ones(chosen.shape[1], dtype=torch.bool)
    outputs = _reached(skeleton, [everywhere] * len(skeleton.inputs), zeros, inside, "")
    return torch.stack(outputs).all(dim=0)


def _reached(
    network: Network, inputs: Sequence[Tensor], zeros: Mapping[str, Tensor], inside: set[str], prefix: str
) -> list[Tensor]:
    """Whether each output depends on an input that is reached; blocks not `inside` pass on what they get."""
    reached = dict(zip([value.name for value in network.inputs], inputs, strict=True))
    for item in network.items:
        path = join(prefix, item.name)
        sources = [reached[name] for name in item.inputs if name in reached]
        if isinstance(item, Block) and path in inside:
            outputs = _reached(item.network, sources, zeros, inside, path)
        else:
            some = torch.stack(sources).any(dim=0) if sources else torch.zeros_like(inputs[0])
            outputs = [some & ~zeros[path] if path in zeros else some] * len(item.outputs)
        reached |= zip([value.name for value in item.outputs], outputs, strict=True)
    return [reached[value.name] for value in network.outputs]
