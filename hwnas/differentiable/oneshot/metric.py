"""The accuracy that architectures have with the weights of one supernet, as a metric of a search."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

from torch import Tensor

from hwnas.differentiable.oneshot.evaluation import calibration_images, oneshot_accuracy
from hwnas.differentiable.oneshot.settings import OneShotSettings
from hwnas.differentiable.oneshot.training import train_oneshot
from hwnas.differentiable.supernet.module import Supernet
from hwnas.spaces import Architecture, SearchSpace
from hwnas.threads import torch_threads
from hwnas.training import DataSet, Progress, TrainedAccuracy

NAME = "accuracy_oneshot"
CHECKPOINT, LOCK = "supernet.npz", ".supernet.lock"


class OneShotAccuracy:
    """Validation accuracy with inherited weights, in [0, 1]: a proxy for the rank of accuracies.

    It ranks only after a long training of the supernet: after a short one, architectures with the least to
    learn are first (`benchmarks/oneshot.py` measures it).

    The supernet of an architecture's space is trained once and kept in `folder`; whoever finds it unfinished
    there goes on with it, and others wait meanwhile. A fifth of the train images is held out for the
    validation; the test images are never used. The same architecture and settings give the same number on a
    CPU with the same number of threads.

    A metric of a search (`name`, `unit`, `higher_is_better`, `expensive`). It holds names and no weights, so
    it is small when it is sent to a worker process, which must see the folder; each loads the weights once.
    A random search by it is random search with parameter sharing (Li and Talwalkar, UAI 2019).

    Args:
        data: what `hwnas.training.load` takes: `digits`, or a path; images of the size that the space takes.
        settings: how to train.
        folder: of the supernet; `prepared` gives it where None.
        limit: at most so many train and test images, as in `load`.
        data_seed: the seed of `load`.
        device: where to train and evaluate, for example `cuda`.
    """

    def __init__(
        self,
        data: str,
        settings: OneShotSettings | None = None,
        *,
        folder: str | Path | None = None,
        limit: int | None = None,
        data_seed: int = 0,
        device: str = "cpu",
    ) -> None:
        self.name = NAME
        self.unit = "fraction"
        self.higher_is_better = True
        self.expensive = True
        self.data = data
        self.settings = OneShotSettings() if settings is None else settings
        self.folder = None if folder is None else Path(folder).absolute()
        self.limit = limit
        self.data_seed = data_seed
        self.device = device

    def __call__(self, architecture: Architecture) -> float:
        """Give the validation accuracy, in [0, 1]; the first call in a folder trains.

        Raises MetricError where an output is not finite, and ValueError without a folder and as `load` and
        `train_oneshot` do.
        """
        data, supernet, calibration = _trained(self, architecture.space)
        with torch_threads(self.settings.training.threads):
            return oneshot_accuracy(supernet, architecture, data, calibration, self.device)

    def prepared(
        self,
        space: SearchSpace,
        folder: Path,
        say: Callable[[str], None],
        executor: Executor | None = None,
    ) -> OneShotAccuracy:
        """Train the supernet now, or finish its training, in its folder, or else in `folder`.

        Args:
            space: whose supernet.
            folder: of the run.
            say: is told each epoch.
            executor: not used: one supernet trains in this process.

        Returns:
            The metric with its folder.

        Raises:
            ValueError: as `load` and `train_oneshot` do.
        """
        metric = OneShotAccuracy(
            self.data,
            self.settings,
            folder=self.folder or folder,
            limit=self.limit,
            data_seed=self.data_seed,
            device=self.device,
        )
        say(f"{NAME}: the supernet of {space.name} is kept in {metric.folder}")
        metric.train(space, _each_epoch(say))
        return metric

    def train(self, space: SearchSpace, progress: Callable[[Progress], None] | None = None) -> Supernet:
        """Give the trained supernet of the folder; trains what is still to be trained.

        Raises ValueError as `__call__` does.
        """
        if self.folder is None:
            raise ValueError(f"metric {NAME} trains a supernet and keeps it: give it a folder, folder=PATH")
        self.folder.mkdir(parents=True, exist_ok=True)
        with _alone(self.folder / LOCK):
            return train_oneshot(
                space,
                self.load(space),
                self.settings,
                checkpoint=self.folder / CHECKPOINT,
                progress=progress,
                device=self.device,
            ).supernet

    def load(self, space: SearchSpace) -> DataSet:
        """Give the data set for selection, in the size of the space; it is read once in a process."""
        side = space.sample(1, seed=0)[0].network.inputs[0].shape[-1]
        return TrainedAccuracy(self.data, resolution=side, limit=self.limit, data_seed=self.data_seed).load()

    def card(self) -> dict[str, Any]:
        """What decides the number, as plain data."""
        return {
            "name": self.name,
            "data": self.data,
            "settings": asdict(self.settings),
            "limit": self.limit,
            "data_seed": self.data_seed,
            "device": self.device,
        }

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OneShotAccuracy) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def _key(self) -> tuple[object, ...]:
        return self.data, self.settings, self.folder, self.limit, self.data_seed, self.device


@lru_cache(maxsize=1)
def _trained(metric: OneShotAccuracy, space: SearchSpace) -> tuple[DataSet, Supernet, Tensor]:
    """The images, the weights, and the images by which statistics are measured: once in a process."""
    supernet = metric.train(space)
    data, settings = metric.load(space), metric.settings
    return data, supernet, calibration_images(data, settings.calibration_images, settings.training.seed)


def _each_epoch(say: Callable[[str], None]) -> Callable[[Progress], None]:
    def show(progress: Progress) -> None:
        if progress.step * progress.epochs == progress.epoch * progress.steps:
            say(f"{NAME}: epoch {progress.epoch} of {progress.epochs}, loss {progress.loss:.3f}")

    return show


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Wait until no other process is inside with this file."""
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
