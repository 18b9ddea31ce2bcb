"""The learning rate of each step, and which parameters decay."""

from __future__ import annotations

from math import cos, pi
from typing import Any

from torch import nn


def learning_rate(step: int, steps: int, warmup_steps: int, peak: float) -> float:
    """Give the learning rate of a step, 0 <= step < steps.

    It rises in equal parts to `peak` at the end of the warm-up (Goyal et al., 2017, arXiv:1706.02677, section
    2.2), then falls along half a cosine towards 0 (Loshchilov and Hutter, 2017, arXiv:1608.03983, equation 5,
    without restarts).
    """
    if step < warmup_steps:
        return peak * (step + 1) / warmup_steps
    return peak * 0.5 * (1 + cos(pi * (step - warmup_steps) / max(1, steps - warmup_steps)))


def parameter_groups(module: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Group the trainable parameters for an optimiser: weights decay, biases and normalisation do not.

    Weights are the parameters with two or more dimensions (He et al., 2019, arXiv:1812.01187, section 3.1).
    """
    trainable = [parameter for parameter in module.parameters() if parameter.requires_grad]
    return [
        {"params": [p for p in trainable if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in trainable if p.ndim < 2], "weight_decay": 0.0},
    ]
