"""Accuracy after a reduced training, as a cheap metric of a search: smaller network, images, data, time."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from hwnas.network.network import Network
from hwnas.network.scale import rounded, scale
from hwnas.training.dataset import DataSet, channel_statistics
from hwnas.training.loop import train
from hwnas.training.metric import HasNetwork, TrainedAccuracy, shortened
from hwnas.training.settings import TrainingSettings
from hwnas.training.source import stratified

IMAGES_AT_ONCE = 1024


@dataclass(frozen=True)
class Reduction:
    """The part of each that remains (Zhou et al., 2020, EcoNAS, arXiv:2001.01233: c, r, s and e).

    Attributes:
        channels: of every layer's channels.
        resolution: of the images' height and width.
        samples: of the train images, every class alike.
        epochs: of the epochs, at least one remains; warm-up and cosine shrink with them.

    Raises ValueError for a factor that is not in (0, 1].
    """

    channels: float = 1 / 4
    resolution: float = 1 / 4
    samples: float = 1.0
    epochs: float = 1 / 10

    def __post_init__(self) -> None:
        for name in ("channels", "resolution", "samples", "epochs"):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(f"{name} must be above 0 and at most 1, got {getattr(self, name)}")

    def network(self, network: Network) -> Network:
        """Give the smaller network; raises ValueError as `hwnas.network.scale.scale` does."""
        return scale(network, channels=self.channels, resolution=self.resolution)

    def settings(self, settings: TrainingSettings) -> TrainingSettings:
        """Give the shorter training."""
        epochs = rounded(settings.epochs, self.epochs)
        warmup = settings.warmup_epochs * epochs / settings.epochs
        return replace(settings, epochs=epochs, warmup_epochs=warmup)

    def data(self, data: DataSet, seed: int = 0) -> DataSet:
        """Give fewer train images, and all images smaller: each pixel the mean of the area it covers."""
        count = max(rounded(len(data.train_labels), self.samples), 2)
        kept = torch.from_numpy(stratified(data.train_labels.numpy(), count, np.random.default_rng(seed)))
        train_images = _shrunk(data.train_images[kept], self.resolution)
        mean, std = channel_statistics(train_images)
        return replace(
            data,
            train_images=train_images,
            train_labels=data.train_labels[kept],
            test_images=_shrunk(data.test_images, self.resolution),
            mean=mean,
            std=std,
        )


class ReducedAccuracy:
    """Train a reduced copy of an architecture's network, and give its validation accuracy, in [0, 1].

    A proxy for the rank of accuracies, not for the accuracy itself. Everything but the reduction, and all
    arguments but it, are those of `TrainedAccuracy`: `settings` and `resolution` are of the full training.

    Args:
        data: what `load` takes: `digits`, or a path.
        settings: how the full training would go; the seed also decides the initial weights.
        reduction: what remains; EcoNAS's 1/4 of the channels and the resolution, 1/10 of the epochs.
        resolution: pixels on a side, as in `load`; it must be what the full networks take.
        limit: at most so many train and test images, as in `load`.
        data_seed: the seed of `load`.
        device: where to train, for example `cuda`; the CPU where None.
    """

    def __init__(
        self,
        data: str,
        settings: TrainingSettings | None = None,
        *,
        reduction: Reduction | None = None,
        resolution: int | None = None,
        limit: int | None = None,
        data_seed: int = 0,
        device: str | None = None,
    ) -> None:
        self.name = "reduced_accuracy"
        self.unit = "fraction"
        self.higher_is_better = True
        self.expensive = True
        self.reduction = Reduction() if reduction is None else reduction
        self.full = TrainedAccuracy(
            data, settings, resolution=resolution, limit=limit, data_seed=data_seed, device=device
        )

    def __call__(self, architecture: HasNetwork) -> float:
        """Give the validation accuracy of the reduced training, in [0, 1].

        Raises TrainingDiverged, and ValueError as `load`, `train` and `hwnas.network.scale.scale` do.
        """
        from hwnas.network.to_torch import to_torch

        data = self.load()
        settings = self.reduction.settings(self.full.settings)
        network = self.reduction.network(architecture.network)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            module = to_torch(network)
        return train(module, data, settings, device=self.full.device).accuracy

    def at_fidelity(self, fidelity: float) -> ReducedAccuracy:
        """The accuracy after that part, in (0, 1), of the reduced training's epochs.

        Raises ValueError for less than one epoch.
        """
        full = self.full
        remaining = self.reduction.settings(full.settings)
        return ReducedAccuracy(
            full.data,
            shortened(remaining, fidelity),
            reduction=replace(self.reduction, epochs=1.0),
            resolution=full.resolution,
            limit=full.limit,
            data_seed=full.data_seed,
            device=full.device,
        )

    def card(self) -> dict[str, Any]:
        """What decides the number, as plain data."""
        return {**self.full.card(), "name": self.name, "reduction": asdict(self.reduction)}

    def load(self) -> DataSet:
        """Give the reduced data set for selection; it is made once in a process."""
        return _reduced(self.full.load(), self.reduction, self.full.data_seed)


@lru_cache(maxsize=2)
def _reduced(data: DataSet, reduction: Reduction, seed: int) -> DataSet:
    return reduction.data(data, seed)


def _shrunk(images: Tensor, factor: float) -> Tensor:
    """Shrink uint8 [N, C, H, W] to that part of its sides."""
    side = [rounded(size, factor) for size in images.shape[2:]]
    if side == list(images.shape[2:]):
        return images
    parts = [F.interpolate(part.float(), side, mode="area") for part in torch.split(images, IMAGES_AT_ONCE)]
    return torch.cat([part.round().to(torch.uint8) for part in parts])
