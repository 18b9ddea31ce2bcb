"""Train a supernet whose weights all architectures of its space inherit."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hwnas.differentiable.checkpoint import differences, open_checkpoint, write_checkpoint
from hwnas.differentiable.fitting import fingerprint, fitting
from hwnas.differentiable.oneshot.learner import Learner
from hwnas.differentiable.oneshot.settings import OneShotSettings
from hwnas.differentiable.settings import require_precision
from hwnas.differentiable.supernet.module import Supernet
from hwnas.freed_memory import freed_memory_kept
from hwnas.spaces import SearchSpace
from hwnas.spaces.supernetwork import Supernetwork
from hwnas.threads import torch_threads
from hwnas.training import DataSet, Progress, learning_rate
from hwnas.training.batches import Batch, shuffled


@dataclass(frozen=True)
class OneShot:
    """A trained supernet, on the device that trained it, in train mode.

    Attributes:
        supernet: with its weights.
        losses: of each epoch the mean train loss of the first network of each step (nats).
    """

    supernet: Supernet
    losses: tuple[float, ...]


def train_oneshot(
    space: SearchSpace,
    data: DataSet,
    settings: OneShotSettings,
    *,
    checkpoint: Path | None = None,
    progress: Callable[[Progress], None] | None = None,
    device: str | torch.device = "cpu",
) -> OneShot:
    """Train the supernet of a space; the same call goes on after the last epoch that was finished.

    The same arguments give the same weights on a CPU, interrupted or not. A step's loss is the mean over its
    networks: cross-entropy by the labels for the first, by the first's outputs for the others (in-place
    distillation, Yu and Huang, ICCV 2019, section 4.1). They run one after the other: in memory are all
    weights with their momentum and gradients, and the activations of one network.

    Args:
        space: whose architectures share the weights.
        data: its train images are learnt.
        settings: how.
        checkpoint: file that is read first and written after each epoch; its folder is made.
        progress: called after every step, with the loss of its first network.
        device: `cpu` or a CUDA device.

    Raises:
        ValueError: the space has no supernet, or does not fit the data or the sampling; the checkpoint is of
            another training or damaged; the precision needs a CUDA device; or a loss is not finite.
    """
    device = torch.device(device)
    supernetwork = space.supernetwork()
    fitting(supernetwork, data)
    require_precision(settings.training.precision, device)
    training = _Training(supernetwork, data, settings, device)
    with torch_threads(settings.training.threads), freed_memory_kept():
        if checkpoint is not None:
            checkpoint.parent.mkdir(parents=True, exist_ok=True)
            training.resume(checkpoint)
        while len(training.losses) < settings.training.epochs:
            training.epoch(progress)
            if checkpoint is not None:
                training.save(checkpoint)
    return OneShot(training.learner.supernet, tuple(training.losses))


class _Training:
    def __init__(
        self, supernetwork: Supernetwork, data: DataSet, settings: OneShotSettings, device: torch.device
    ) -> None:
        self.data, self.settings, self.device = data, settings, device
        self.space = supernetwork.space
        self.how = settings.training
        self.sampler = settings.sampler(supernetwork)
        self.learner = Learner(supernetwork, settings, device)
        self.batch_size = min(self.how.batch_size, len(data.train_labels))
        self.steps_per_epoch = len(data.train_labels) // self.batch_size
        self.losses: list[float] = []

    def epoch(self, progress: Callable[[Progress], None] | None) -> None:
        """The next pass over the images; all that is random in it follows from the seed and its number."""
        number = len(self.losses) + 1
        rng = np.random.default_rng([self.how.seed, number])
        steps, start = self.steps_per_epoch * self.how.epochs, (number - 1) * self.steps_per_epoch
        warmup = round(self.how.warmup_epochs * self.steps_per_epoch)
        total = 0.0
        self.learner.supernet.train()
        with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            torch.manual_seed(_drawn(rng))
            for step, (images, labels) in enumerate(self._batches(rng), start=start):
                rate = learning_rate(step, steps, warmup, self.how.lr)
                loss = self.learner.learn(images, labels, self.sampler(number, rng), rate)
                if not isfinite(loss):
                    raise ValueError(
                        f"the supernet diverged in epoch {number}, step {step + 1}: the loss is {loss}; "
                        "try a lower lr"
                    )
                total += loss
                if progress is not None:
                    progress(Progress(step + 1, steps, number, self.how.epochs, loss))
        self.losses.append(total / self.steps_per_epoch)

    def _batches(self, rng: np.random.Generator) -> Iterator[Batch]:
        generator = torch.Generator().manual_seed(_drawn(rng))
        return shuffled(self.data, self.batch_size, self.how.augmentation, generator, self.device)

    def save(self, path: Path) -> None:
        """Write the state after an epoch."""
        document = {"of": self._identity(), "losses": self.losses, "scales": self.learner.scales()}
        write_checkpoint(path, self.learner.tensors(), document)

    def resume(self, path: Path) -> None:
        """Take the state that is kept at `path`, if there is one."""
        try:
            with open_checkpoint(path) as kept:
                different = differences(kept.document["of"], self._identity())
                if not different:
                    self.learner.restore(kept, kept.document["scales"])
                    self.losses = kept.document["losses"]
        except FileNotFoundError:
            return
        if different:
            raise ValueError(f"{path} is of another training: {'; '.join(different)}")

    def _identity(self) -> dict[str, Any]:
        """What decides the weights, as JSON has it."""
        document = {
            "space": str(self.space),
            "data": fingerprint(self.data),
            "settings": asdict(self.settings),
        }
        found: dict[str, Any] = json.loads(json.dumps(document))
        return found


def _drawn(rng: np.random.Generator) -> int:
    """A seed for torch."""
    return int(rng.integers(2**62))
