"""What a differentiable search records: plain data, as JSON in its folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hwnas.differentiable.record_file import read_record, write_record

RECORD = "record.json"


@dataclass(frozen=True)
class Epoch:
    """A supernet after one pass over the images that its weights learn from.

    Attributes:
        number: from 1.
        train_loss: mean cross-entropy of the weights' steps in nats.
        train_accuracy: of the same batches, a fraction.
        validation_loss: mean cross-entropy of the architecture's steps in nats, without the penalty; None
            where the architecture parameters did not move yet.
        validation_accuracy: of the same batches, a fraction, or None.
        expected: costs expected by the softmax of the architecture parameters, by metric.
        derived: text of the architecture that would be the answer now.
        derived_costs: its costs by the same metrics.
        skips: how many connections would skip without a guard, those of one kind of cell counted once.
        probabilities: softmax of the architecture parameters by group, in the order of its choices.
        multipliers: of a Lagrangian, by the constrained metric; empty for other penalties.
        temperature: of the relaxation at the end of the epoch; None where it has none.
        seconds: wall time.
        peak_memory_bytes: the most that was held in a step: by the device's tensors where it is a GPU, else
            by the process so far.
    """

    number: int
    train_loss: float
    train_accuracy: float
    validation_loss: float | None
    validation_accuracy: float | None
    expected: Mapping[str, float]
    derived: str
    derived_costs: Mapping[str, float]
    skips: int
    probabilities: Mapping[str, tuple[float, ...]]
    multipliers: Mapping[str, float]
    temperature: float | None
    seconds: float
    peak_memory_bytes: int


@dataclass(frozen=True)
class DifferentiableRecord:
    """A search, finished or not.

    Attributes:
        title: of the search, for people.
        space: text of the space, as `hwnas.spaces.space` reads it.
        method: its name.
        settings: all others, as plain data.
        targets: bounds by metric.
        groups: labels of the choices of each group of architecture parameters.
        epochs: in order.
        architecture: text of the answer; the last epoch's `derived`, unless a guard says otherwise.
        stopped: why the search ended early; empty where it did not.
        environment: machine and versions.
    """

    title: str
    space: str
    method: str
    settings: Mapping[str, Any]
    targets: Mapping[str, float]
    groups: Mapping[str, tuple[str, ...]]
    epochs: tuple[Epoch, ...]
    architecture: str
    stopped: str
    environment: Mapping[str, Any]

    def save(self, folder: Path) -> None:
        """Write `record.json` into a folder, whole or not at all."""
        write_record(folder / RECORD, asdict(self))


def load(folder: Path | str) -> DifferentiableRecord:
    """The record in a folder.

    Raises:
        ValueError: there is none, or it is damaged; names the file.
    """
    return read_record(Path(folder) / RECORD, "differentiable search", _record)


def _record(content: dict[str, Any]) -> DifferentiableRecord:
    epochs = tuple(read_epoch(epoch) for epoch in content.pop("epochs"))
    groups = {group: tuple(labels) for group, labels in content.pop("groups").items()}
    return DifferentiableRecord(**content, groups=groups, epochs=epochs)


def read_epoch(content: Mapping[str, Any]) -> Epoch:
    """The epoch that `asdict` made `content` of; raises TypeError or KeyError where it is none."""
    shares = {group: tuple(values) for group, values in content["probabilities"].items()}
    return Epoch(**{**content, "probabilities": shares})
