"""Training a network to classify images."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from math import isfinite, nan

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hwnas.freed_memory import freed_memory_kept
from hwnas.network.modes import evaluation_mode
from hwnas.threads import torch_threads
from hwnas.training.batches import prepared, shuffled
from hwnas.training.dataset import DataSet
from hwnas.training.evaluate import accuracy, device_of
from hwnas.training.result import Progress, TrainingDiverged, TrainingResult
from hwnas.training.schedule import learning_rate, parameter_groups
from hwnas.training.settings import TrainingSettings

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def train(
    module: nn.Module,
    data: DataSet,
    settings: TrainingSettings,
    *,
    progress: Callable[[Progress], None] | None = None,
    device: str | torch.device | None = None,
) -> TrainingResult:
    """Train a module in place, and measure its accuracy on the test images after each epoch.

    The same seed, module, data and thread count give the same result on a CPU. Global random state and the
    thread count are restored. The module stays on the device, in the mode it came in.

    Args:
        module: gives [n, classes] for float32 [n, C, H, W].
        data: what to learn.
        settings: how.
        progress: called after every step.
        device: where to train; where the module's parameters are, if None.

    Raises:
        TrainingDiverged: the loss or an output became NaN or infinite.
        ValueError: the module gives another shape, or mixed precision is asked of another device than CUDA.
    """
    device = device_of(module) if device is None else torch.device(device)
    if settings.precision != "fp32" and device.type != "cuda":
        raise ValueError(
            f"precision {settings.precision} needs a CUDA device, and this is {device}: use fp32"
        )
    with (
        _seeded(settings.seed, device),
        torch_threads(settings.threads),
        freed_memory_kept(),
        evaluation_mode(module),
    ):
        return _Training(module.to(device), data, settings, device, progress).run()


class _Training:
    def __init__(
        self,
        module: nn.Module,
        data: DataSet,
        settings: TrainingSettings,
        device: torch.device,
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self.module, self.data, self.settings, self.device = module, data, settings, device
        self.progress = progress
        self.batch_size = min(settings.batch_size, len(data.train_labels))
        self.steps_per_epoch = len(data.train_labels) // self.batch_size
        self.steps = self.steps_per_epoch * settings.epochs
        self.warmup_steps = round(settings.warmup_epochs * self.steps_per_epoch)
        self.generator = torch.Generator().manual_seed(settings.seed)
        self.optimizer = torch.optim.SGD(
            parameter_groups(module, settings.weight_decay),
            lr=settings.lr,
            momentum=settings.momentum,
            nesterov=settings.momentum > 0,
        )
        self.scaler = torch.amp.GradScaler(device.type, enabled=settings.precision == "fp16")
        self.step = 0
        self.losses: list[float] = []
        self.accuracies: list[float] = []
        self.started = time.perf_counter()

    def run(self) -> TrainingResult:
        for epoch in range(1, self.settings.epochs + 1):
            self.module.train()
            self.losses.append(self._epoch(epoch))
            self.accuracies.append(self._test(epoch))
        return self._result(self.accuracies[-1], None)

    def _epoch(self, epoch: int) -> float:
        total = 0.0
        how = self.settings.augmentation
        for images, labels in shuffled(self.data, self.batch_size, how, self.generator, self.device):
            loss = self._step(images, labels)
            self.step += 1
            if not isfinite(loss):
                raise self._diverged(epoch, f"the loss is {loss}")
            total += loss
            if self.progress is not None:
                self.progress(Progress(self.step, self.steps, epoch, self.settings.epochs, loss))
        return total / self.steps_per_epoch

    def _step(self, images: Tensor, labels: Tensor) -> float:
        settings = self.settings
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.step, self.steps, self.warmup_steps, settings.lr)
        self.optimizer.zero_grad(set_to_none=True)
        dtype = DTYPES[settings.precision]
        with torch.autocast(self.device.type, dtype=dtype, enabled=settings.precision != "fp32"):
            outputs = self._check_outputs(self.module(images))
            loss = F.cross_entropy(outputs, labels, label_smoothing=settings.label_smoothing)
        self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        if settings.gradient_clip is not None:
            self.scaler.unscale_(self.optimizer)
            nn.utils.clip_grad_norm_(self.module.parameters(), settings.gradient_clip)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        return float(loss.detach())

    def _check_outputs(self, outputs: Tensor) -> Tensor:
        if outputs.ndim != 2 or outputs.shape[1] != len(self.data.classes):
            raise ValueError(
                f"the network gives outputs of shape {list(outputs.shape)} for a batch; "
                f"{self.data.name} has {len(self.data.classes)} classes, so they must be "
                f"{[self.batch_size, len(self.data.classes)]}"
            )
        return outputs

    def _test(self, epoch: int) -> float:
        data, prepare = self.data, partial(prepared, self.data)
        try:
            return accuracy(self.module, data.test_images, data.test_labels, prepare=prepare)
        except FloatingPointError as error:
            raise self._diverged(epoch, str(error)) from error

    def _diverged(self, epoch: int, reason: str) -> TrainingDiverged:
        message = f"the training diverged in epoch {epoch}, step {self.step}: {reason}; try a lower lr"
        return TrainingDiverged(epoch, self.step, self._result(nan, message))

    def _result(self, accuracy: float, diverged: str | None) -> TrainingResult:
        seconds = time.perf_counter() - self.started
        return TrainingResult(accuracy, tuple(self.losses), tuple(self.accuracies), seconds, diverged)


@contextmanager
def _seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch's global generators (dropout draws from them), and restore them."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield
