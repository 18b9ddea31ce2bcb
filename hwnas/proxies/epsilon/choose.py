"""The choice of the two weights of epsilon for a space of networks."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import torch
from torch import Tensor, nn

from hwnas.network.network import Network
from hwnas.network.to_torch import to_torch
from hwnas.proxies import check
from hwnas.proxies.context import Context
from hwnas.proxies.epsilon.formula import relative_difference, rescaled
from hwnas.proxies.epsilon.outputs import outputs_under
from hwnas.proxies.isolation import isolated

CANDIDATES = (1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)


@dataclass(frozen=True)
class Choice:
    """A pair of weights, and for every pair tried the share of networks on which epsilon is undefined."""

    weights: tuple[float, float]
    undefined: Mapping[tuple[float, float], float]


def choose_weights(
    sample: Iterable[nn.Module | Network],
    inputs: Tensor,
    *,
    candidates: Sequence[float] = CANDIDATES,
    max_undefined: float = 0.1,
    dtype: torch.dtype = torch.float32,
    mode: Literal["train", "eval"] = "train",
    seed: int = 0,
) -> Choice:
    """Return the widest pair of weights with which epsilon is defined for most networks of a sample.

    The rule of thumb of Gracheva 2024, section 3.1, as published in `search_weights`: of the pairs that leave
    fewer than `max_undefined` of the sample undefined, the one of the largest ratio; of equal ratios the one
    that leaves fewest undefined, then the one of the smaller weights. No training and no labels.

    Args:
        sample: networks of the space; of a `Network` only the distinct channels are computed where that is
            exact. A network without a path from input to output is undefined under all weights: leave it out.
        inputs: a batch of images (B, ...).
        candidates: the weights to pair, positive.
        max_undefined: the share of the sample that may not be reached.
        dtype: the number type computed in.
        mode: that of the modules.
        seed: of the random numbers that a module draws.

    Raises:
        ValueError: when the sample is empty, an argument is out of its range, or no pair is good enough.
    """
    tried = sorted(set(candidates))
    if len(tried) < 2 or not all(0 < weight < math.inf for weight in tried):
        raise ValueError(f"candidates: {tuple(candidates)}; pass two or more different positive numbers")
    if not 0 < max_undefined <= 1:
        raise ValueError(f"max_undefined: {max_undefined}; choose a share above 0 and at most 1")
    pairs = list(combinations(tried, 2))
    missing = dict.fromkeys(pairs, 0)
    networks = list(sample)
    if not networks:
        raise ValueError("sample: empty; pass some networks of the space")
    for one in networks:
        outputs = dict(zip(tried, _rescaled_outputs(one, inputs, tried, dtype, mode, seed), strict=True))
        for pair in pairs:
            missing[pair] += math.isnan(relative_difference(outputs[pair[0]], outputs[pair[1]]))
    undefined = {pair: missing[pair] / len(networks) for pair in pairs}
    good = [pair for pair in pairs if undefined[pair] < max_undefined]
    if not good:
        least = min(pairs, key=lambda pair: undefined[pair])
        raise ValueError(
            f"max_undefined: every pair leaves {max_undefined:.0%} or more undefined, {least} the least "
            f"({undefined[least]:.0%}); use torch.float64, other candidates, or a larger share"
        )
    best = max(good, key=lambda pair: (round(math.log10(pair[1] / pair[0]), 9), -undefined[pair], -pair[0]))
    return Choice(best, undefined)


def _rescaled_outputs(
    one: nn.Module | Network,
    inputs: Tensor,
    weights: Sequence[float],
    dtype: torch.dtype,
    mode: str,
    seed: int,
) -> list[Tensor]:
    network = one if isinstance(one, Network) else None
    with isolated(seed, inputs.device):
        module = to_torch(one).to(inputs) if isinstance(one, Network) else one
        check.module(module)
        check.inputs(inputs, module)
        shape = tuple(inputs.shape[1:])
        loss = nn.functional.cross_entropy
        context = Context(module, mode, inputs, None, shape, loss, None, seed, network=network)
        return [rescaled(values) for values in outputs_under(context, weights, dtype).values]
