"""How long and how a differentiable search runs, whatever the method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch

Precision = Literal["fp32", "bf16"]


@dataclass(frozen=True)
class SearchSettings:
    """Of a search.

    Attributes:
        epochs: passes over the images that the weights learn from.
        batch_size: images in a step of the weights, and in one of the architecture.
        seed: decides the initial weights and logits, the split, batches, augmentation and draws.
        precision: of the activations; `bf16` (automatic mixed precision) needs a CUDA device. There is no
            `fp16`: the gradients by the logits would need a loss scale of their own.
        threads: torch's CPU threads; None leaves them as they are. Results differ slightly with their number,
            and more threads than idle cores are many times slower than one.

    Raises ValueError for values out of range.
    """

    epochs: int = 50
    batch_size: int = 64
    seed: int = 0
    precision: Precision = "fp32"
    threads: int | None = 1

    def __post_init__(self) -> None:
        rules = {
            "epochs must be at least 1": self.epochs >= 1,
            "batch_size must be at least 2": self.batch_size >= 2,
            "seed must not be negative": self.seed >= 0,
            "precision must be fp32 or bf16": self.precision in ("fp32", "bf16"),
            "threads must be at least 1, or None": self.threads is None or self.threads >= 1,
        }
        for rule, holds in rules.items():
            if not holds:
                raise ValueError(f"{rule}, got {getattr(self, rule.split()[0])}")


def require_precision(precision: str, device: torch.device) -> None:
    """Raise ValueError where the device does not have the precision."""
    if precision != "fp32" and device.type != "cuda":
        raise ValueError(f"precision {precision} needs a CUDA device, and this is {device}: use fp32")
