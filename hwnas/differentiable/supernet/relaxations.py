"""Relaxations: from the architecture parameters to the probabilities with which candidates are mixed.

Each takes logits by group, `[choices]`, and gives probabilities by group through which gradients flow back.
A choice whose logit is -inf is out: its probability is 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Logits: TypeAlias = Mapping[str, Tensor]


@dataclass(frozen=True)
class Relaxed:
    """One draw of a relaxation.

    Attributes:
        probabilities: by group, `[choices]`, summing to 1.
        active: by group, `[choices]`, of bool: what is computed. A choice of probability 0 may be, where its
            gradient is wanted; one of another probability always is.
    """

    probabilities: Mapping[str, Tensor]
    active: Mapping[str, Tensor]


def fixed(probabilities: Mapping[str, NDArray[np.float64] | Tensor]) -> Relaxed:
    """These probabilities, computing what is above 0: `supernetwork.one_hot(architecture)`, say."""
    tensors = {group: torch.as_tensor(values) for group, values in probabilities.items()}
    return Relaxed(tensors, {group: values > 0 for group, values in tensors.items()})


def softmax(logits: Logits) -> Relaxed:
    """exp(α_o) / Σ exp(α): every choice at once (Liu et al., "DARTS", ICLR 2019, equation 2)."""
    return fixed({group: values.softmax(0) for group, values in logits.items()})


def gumbel_softmax(
    logits: Logits, rng: np.random.Generator, *, temperature: float, hard: bool = False
) -> Relaxed:
    """softmax((log p + g) / τ) with Gumbel noise g: nearly one choice each time as τ goes to 0.

    Jang et al., "Categorical Reparameterization with Gumbel-Softmax", ICLR 2017, equation 2; FBNet (Wu et
    al., CVPR 2019, equation 7). `hard` is its straight-through form, of GDAS (Dong and Yang, CVPR 2019,
    equation 4): forwards the greatest alone, backwards as the soft one. Since the others are not computed,
    the greatest alone gets a gradient, as in GDAS.

    Args:
        logits: by group, `[choices]`.
        rng: draws g.
        temperature: τ, above 0.
        hard: whether to mix one choice alone.

    Raises:
        ValueError: a `temperature` of 0 or less.
    """
    if not temperature > 0:
        raise ValueError(f"temperature must be above 0, not {temperature:g}")
    soft = {
        group: ((values.log_softmax(0) + _gumbel(values, rng)) / temperature).softmax(0)
        for group, values in logits.items()
    }
    if not hard:
        return fixed(soft)
    return fixed({group: _straight_through(values, int(values.argmax())) for group, values in soft.items()})


def two_paths(logits: Logits, rng: np.random.Generator) -> Relaxed:
    """Two choices of each group are computed, one of them is passed on; both get gradients.

    ProxylessNAS (Cai et al., ICLR 2019), section 3.2.1: the two are drawn by their probabilities, which are
    rescaled between them; the binary gate is drawn by those, and its gradient by equation 4 is that of the
    rescaled softmax, straight through the gate.
    """
    probabilities, active = {}, {}
    for group, values in logits.items():
        shares = _shares(values)
        two = rng.choice(len(shares), size=min(2, int((shares > 0).sum())), replace=False, p=shares)
        sampled = torch.zeros(len(shares), dtype=torch.bool)
        sampled[torch.as_tensor(two)] = True
        rescaled = values.masked_fill(~sampled, -torch.inf).softmax(0)
        gate = int(rng.choice(len(shares), p=_shares(rescaled.log())))
        probabilities[group] = _straight_through(rescaled, gate)
        active[group] = sampled
    return Relaxed(probabilities, active)


def _gumbel(like: Tensor, rng: np.random.Generator) -> Tensor:
    return torch.as_tensor(rng.gumbel(size=len(like)), dtype=like.dtype)


def _shares(logits: Tensor) -> NDArray[np.float64]:
    shares: NDArray[np.float64] = logits.detach().double().softmax(0).numpy()
    return shares


def _one_hot(like: Tensor, chosen: int) -> Tensor:
    one = torch.zeros(like.shape, dtype=like.dtype)
    one[chosen] = 1
    return one


def _straight_through(soft: Tensor, chosen: int) -> Tensor:
    """One-hot forwards, `soft` backwards; the difference is taken first, so that it is exactly 0."""
    return _one_hot(soft, chosen) + (soft - soft.detach())
