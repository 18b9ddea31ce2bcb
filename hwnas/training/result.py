"""What a training gives, and how it fails."""

from __future__ import annotations

from dataclasses import dataclass

from hwnas.objectives.metric import MetricError


@dataclass(frozen=True)
class TrainingResult:
    """One training.

    Attributes:
        accuracy: fraction of the test images classified right after the last epoch, in [0, 1]; NaN where the
            training diverged.
        losses: mean train loss of each epoch (nats, with label smoothing and augmentation).
        accuracies: test accuracy after each epoch, in [0, 1].
        seconds: wall time, evaluation included.
        diverged: why the training ended early; None where it did not.
    """

    accuracy: float
    losses: tuple[float, ...]
    accuracies: tuple[float, ...]
    seconds: float
    diverged: str | None = None


class TrainingDiverged(MetricError):  # noqa: N818
    """The loss or an output became NaN or infinite.

    Attributes:
        epoch: the epoch in which it happened, from 1.
        step: steps done in the whole training, that one included.
        result: the epochs before it; its `diverged` is the message.
    """

    def __init__(self, epoch: int, step: int, result: TrainingResult) -> None:
        super().__init__(epoch, step, result)
        self.epoch, self.step, self.result = epoch, step, result

    def __str__(self) -> str:
        return str(self.result.diverged)


@dataclass(frozen=True)
class Progress:
    """Where a training is: `step` of `steps` done, in `epoch` (from 1) of `epochs`; the loss in nats."""

    step: int
    steps: int
    epoch: int
    epochs: int
    loss: float
