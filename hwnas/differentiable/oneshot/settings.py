"""How a supernet is trained whose weights all architectures inherit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from hwnas.differentiable.oneshot.elastic import ElasticSupernet
from hwnas.differentiable.oneshot.sampling import (
    Sampling,
    Sandwich,
    UniformPaths,
    by_size,
    shrinking_stages,
)
from hwnas.differentiable.supernet.module import Supernet
from hwnas.spaces.supernetwork import Supernetwork
from hwnas.training import TrainingSettings

How = Literal["uniform", "sandwich", "shrinking"]


@dataclass(frozen=True)
class OneShotSettings:
    """How a supernet is trained, and how its architectures are evaluated.

    Attributes:
        training: optimiser, schedule and augmentation; one cosine over all of it. An epoch passes once over
            the train images, whatever the number of networks in a step.
        sampling: the networks of a step: `uniform`, one at random (SPOS); `sandwich`, the largest, the
            smallest and two at random, all but the first of which learn the first one's outputs;
            `shrinking`, the same of ever more choices, beginning with the largest network alone.
        elastic: whether smaller candidates are parts of the largest one, as in once-for-all, and have no
            weights of their own.
        calibration_images: train images by which the statistics of an architecture are measured before it is
            evaluated.

    Raises ValueError for values out of range, and for `shrinking` without `elastic`.
    """

    training: TrainingSettings = field(default_factory=TrainingSettings)
    sampling: How = "uniform"
    elastic: bool = False
    calibration_images: int = 1024

    def __post_init__(self) -> None:
        if self.sampling not in get_args(How):
            raise ValueError(f"sampling must be {', '.join(get_args(How))}, got {self.sampling}")
        if self.sampling == "shrinking" and not self.elastic:
            raise ValueError(
                "sampling=shrinking trains small networks as parts of large ones: use elastic=True"
            )
        if self.calibration_images < 2:
            raise ValueError(f"calibration_images must be at least 2, got {self.calibration_images}")

    def supernet(self, supernetwork: Supernetwork) -> Supernet:
        """A supernet with new weights, drawn by torch's global generator."""
        return ElasticSupernet(supernetwork) if self.elastic else Supernet(supernetwork)

    def sampler(self, supernetwork: Supernetwork) -> Sampling:
        """What draws the networks of a step; raises ValueError where the space or the epochs do not fit."""
        if self.sampling == "uniform":
            return UniformPaths(supernetwork)
        enabled = by_size(supernetwork)
        stages = [enabled] if self.sampling == "sandwich" else shrinking_stages(enabled)
        return Sandwich(stages, self.training.epochs)
