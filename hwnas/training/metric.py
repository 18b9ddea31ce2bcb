"""The accuracy of an architecture after training, as a metric of a search."""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import lru_cache
from math import ceil, floor
from typing import Any, Protocol

import torch

from hwnas.training.dataset import DataSet
from hwnas.training.datasets import load
from hwnas.training.loop import train
from hwnas.training.settings import TrainingSettings

ROUNDING = 1e-4
"""How far below one epoch a share may be that is written with few digits."""


class HasNetwork(Protocol):
    """Anything with a `Network`: an architecture."""

    @property
    def network(self) -> Any:
        """The network to train."""


class TrainedAccuracy:
    """Train an architecture's network, and give its validation accuracy: a fraction in [0, 1].

    A fifth of the train images is held out for it (`DataSet.for_selection`); the test images are never used.

    A metric of a search (`name`, `unit`, `higher_is_better`, `expensive`). It holds the data set's name and
    not its images, so it is small when it is sent to a worker process; each process loads the images once.
    The same architecture and settings give the same number on a CPU with the same number of threads.

    Args:
        data: what `load` takes: `digits`, or a path.
        settings: how to train; the seed also decides the initial weights.
        resolution: pixels on a side, as in `load`; it must be what the networks take.
        limit: at most so many train and test images, as in `load`.
        data_seed: the seed of `load`.
        device: where to train, for example `cuda`; the CPU where None.
    """

    def __init__(
        self,
        data: str,
        settings: TrainingSettings | None = None,
        *,
        resolution: int | None = None,
        limit: int | None = None,
        data_seed: int = 0,
        device: str | None = None,
    ) -> None:
        self.name = "accuracy"
        self.unit = "fraction"
        self.higher_is_better = True
        self.expensive = True
        self.data = data
        self.settings = TrainingSettings() if settings is None else settings
        self.resolution = resolution
        self.limit = limit
        self.data_seed = data_seed
        self.device = device

    def __call__(self, architecture: HasNetwork) -> float:
        """Give the validation accuracy, in [0, 1].

        Raises TrainingDiverged, and ValueError as `load` and `train` do.
        """
        from hwnas.network.to_torch import to_torch

        data = self.load()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.settings.seed)
            module = to_torch(architecture.network)
        return train(module, data, self.settings, device=self.device).accuracy

    def at_fidelity(self, fidelity: float) -> TrainedAccuracy:
        """The accuracy after that part of the epochs, in (0, 1), whose schedule is as much shorter.

        Raises ValueError for less than one epoch.
        """
        return TrainedAccuracy(
            self.data,
            shortened(self.settings, fidelity),
            resolution=self.resolution,
            limit=self.limit,
            data_seed=self.data_seed,
            device=self.device,
        )

    def card(self) -> dict[str, Any]:
        """What decides the number, as plain data."""
        return {
            "name": self.name,
            "data": self.data,
            "settings": asdict(self.settings),
            "resolution": self.resolution,
            "limit": self.limit,
            "data_seed": self.data_seed,
            "device": self.device,
        }

    def load(self) -> DataSet:
        """Give the data set for selection; it is read once in a process."""
        return _load(self.data, self.resolution, self.limit, self.data_seed)


def shortened(settings: TrainingSettings, share: float) -> TrainingSettings:
    """A training of that share of the epochs, rounded, and of the warm-up.

    Raises:
        ValueError: it is less than one epoch.
    """
    epochs = floor(settings.epochs * share + 0.5)
    if epochs < 1 or settings.epochs * share < 1 - ROUNDING:
        raise ValueError(
            f"{share:.3g} of {settings.epochs} epochs is less than one: train for at least "
            f"{ceil((1 - ROUNDING) / share)} epochs, or start from a greater part of the training"
        )
    return replace(settings, epochs=epochs, warmup_epochs=settings.warmup_epochs * epochs / settings.epochs)


@lru_cache(maxsize=2)
def _load(spec: str, resolution: int | None, limit: int | None, seed: int) -> DataSet:
    return load(spec, resolution, limit, seed).for_selection(seed=seed)
