"""What the plots of a differentiable search draw: series over its epochs; nothing here draws."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwnas.differentiable.records import DifferentiableRecord
from hwnas.report.text import label

_SCALES = {"ms": (1.0, "ms"), "bytes": (1 / 1024, "kB")}
_COUNTS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


@dataclass(frozen=True)
class CostCurve:
    """A cost over the epochs, scaled to `unit`.

    Attributes:
        name: of the metric, for people.
        unit: of all numbers.
        expected, derived: `[epochs]`.
        target: None without one.
    """

    name: str
    unit: str
    expected: NDArray[np.float64]
    derived: NDArray[np.float64]
    target: float | None

    @property
    def title(self) -> str:
        """Name and unit."""
        return f"{self.name} ({self.unit})" if self.unit else self.name


@dataclass(frozen=True)
class Pair:
    """A number over the epochs of training and of validation, `[epochs]` each, NaN where there was none."""

    train: NDArray[np.float64]
    validation: NDArray[np.float64]


def numbers_of(record: DifferentiableRecord) -> NDArray[np.intp]:
    """The epochs' numbers, `[epochs]`."""
    return np.array([epoch.number for epoch in record.epochs], dtype=np.intp)


def cost_curves(record: DifferentiableRecord) -> list[CostCurve]:
    """A curve for each cost, those with a target first."""
    names = list(record.epochs[0].expected)
    return [_cost_curve(record, name) for name in sorted(names, key=lambda name: name not in record.targets)]


def losses(record: DifferentiableRecord) -> Pair:
    """Cross-entropies in nats."""
    return Pair(
        _floats(epoch.train_loss for epoch in record.epochs),
        _floats(epoch.validation_loss for epoch in record.epochs),
    )


def accuracies(record: DifferentiableRecord) -> Pair:
    """Accuracies in percent."""
    return Pair(
        100 * _floats(epoch.train_accuracy for epoch in record.epochs),
        100 * _floats(epoch.validation_accuracy for epoch in record.epochs),
    )


def shares(record: DifferentiableRecord, group: str) -> NDArray[np.float64]:
    """The probabilities of a group's choices, `[choices, epochs]`."""
    return np.array([epoch.probabilities[group] for epoch in record.epochs], dtype=np.float64).T


def steps(epochs: NDArray[np.intp]) -> NDArray[np.float64]:
    """Where each epoch begins and ends, `[2·epochs]`: so it has a width even where it is the only one."""
    edges: NDArray[np.float64] = np.stack([epochs - 0.5, epochs + 0.5], axis=1).ravel()
    return edges


def _floats(values: Iterable[float | None]) -> NDArray[np.float64]:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _cost_curve(record: DifferentiableRecord, name: str) -> CostCurve:
    expected = _floats(epoch.expected[name] for epoch in record.epochs)
    derived = _floats(epoch.derived_costs[name] for epoch in record.epochs)
    target = record.targets.get(name)
    scale, unit = _scale(name, float(max(expected.max(), derived.max(), target or 0)))
    return CostCurve(label(name), unit, scale * expected, scale * derived, target and scale * target)


def _scale(name: str, largest: float) -> tuple[float, str]:
    """What values are multiplied with, and the unit that they then have."""
    known = _SCALES.get(name.rpartition("_")[2])
    return known or next(((1 / size, unit) for size, unit in _COUNTS if largest >= size), (1.0, ""))
