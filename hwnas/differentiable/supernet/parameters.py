"""The architecture parameters: a logit for each choice of each group, beside the weights and on the CPU."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from hwnas.spaces.supernetwork import Supernetwork

SCALE = 1e-3


def initial_logits(supernetwork: Supernetwork, rng: np.random.Generator) -> dict[str, Tensor]:
    """By group 0.001 · N(0, 1), `[choices]`, which require gradients (the released DARTS' initialisation)."""
    return {
        group: torch.tensor(SCALE * rng.standard_normal(len(labels)), dtype=torch.float32, requires_grad=True)
        for group, labels in supernetwork.groups.items()
    }
