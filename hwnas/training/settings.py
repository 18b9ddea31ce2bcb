"""How a network is trained."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite
from typing import Literal

from hwnas.training.augment import Augmentation

Precision = Literal["fp32", "bf16", "fp16"]


@dataclass(frozen=True)
class TrainingSettings:
    """Stochastic gradient descent with Nesterov momentum, a warm-up and a cosine, from one seed.

    Attributes:
        epochs: passes over the train images.
        batch_size: images in a step; a last batch that is not full is left out (each epoch another one).
        lr: the highest learning rate.
        momentum: of Nesterov's kind; 0 is none.
        weight_decay: of the weights; biases and normalisation never decay.
        label_smoothing: the probability spread over all classes (Szegedy et al., 2016, arXiv:1512.00567).
        warmup_epochs: epochs, or a part of one, in which the learning rate rises.
        gradient_clip: highest norm of the whole gradient; None is no clipping.
        augmentation: changes to train images; None is none. No flips where the data set forbids mirroring.
        precision: of the activations; `bf16` and `fp16` (automatic mixed precision) need a CUDA device.
        seed: decides batches, augmentation and dropout.
        threads: torch's CPU threads while training; None leaves them as they are. Results differ slightly
            with their number, and more threads than idle cores are many times slower than one.

    Raises ValueError for values out of range.
    """

    epochs: int = 10
    batch_size: int = 32
    lr: float = 0.05
    momentum: float = 0.9
    weight_decay: float = 5e-4
    label_smoothing: float = 0.0
    warmup_epochs: float = 0.5
    gradient_clip: float | None = None
    augmentation: Augmentation | None = field(default_factory=Augmentation)
    precision: Precision = "fp32"
    seed: int = 0
    threads: int | None = 1

    def __post_init__(self) -> None:
        rules = {
            "epochs must be at least 1": self.epochs >= 1,
            "batch_size must be at least 2": self.batch_size >= 2,
            "lr must be a positive number": self.lr > 0 and isfinite(self.lr),
            "momentum must be in [0, 1)": 0 <= self.momentum < 1,
            "weight_decay must not be negative": self.weight_decay >= 0,
            "label_smoothing must be in [0, 1)": 0 <= self.label_smoothing < 1,
            "warmup_epochs must be from 0 to epochs": 0 <= self.warmup_epochs <= self.epochs,
            "gradient_clip must be positive, or None": self.gradient_clip is None or self.gradient_clip > 0,
            "precision must be fp32, bf16 or fp16": self.precision in ("fp32", "bf16", "fp16"),
            "threads must be at least 1, or None": self.threads is None or self.threads >= 1,
        }
        for rule, holds in rules.items():
            if not holds:
                raise ValueError(f"{rule}, got {getattr(self, rule.split()[0])}")
