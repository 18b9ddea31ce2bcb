"""Trials that are worth verifying: how good each is, and how likely it satisfies the constraints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwnas.objectives import Constraint, Metric, Objective
from hwnas.search.choose import next_to_verify
from hwnas.search.metrics import PredictedMetric, predicted
from hwnas.search.records import Trial
from hwnas.spaces import SearchSpace

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Prospects:
    """Trials of different networks that have the maximised metric.

    Attributes:
        trials: in the order in which they were tried.
        merits: `[n]`, the maximised metric.
        probabilities: `[n]`, with which each satisfies all constraints by measurement.
    """

    trials: tuple[Trial, ...]
    merits: Floats
    probabilities: Floats

    def next(self, tried: set[str], best: float | None) -> Trial | None:
        """The trial to verify next (`next_to_verify`), not one of those `tried`, by their architectures."""
        merits = self.merits.copy()
        merits[[trial.architecture in tried for trial in self.trials]] = np.nan
        chosen = next_to_verify(merits, self.probabilities, best)
        return None if chosen is None else self.trials[chosen]


def prospects(
    trials: Sequence[Trial], objective: Objective, metrics: Mapping[str, Metric], space: SearchSpace
) -> Prospects:
    """The prospects among `trials`; those that certainly break a constraint are left out."""
    found: dict[str, Trial] = {}
    for trial in trials:
        if objective.maximize in trial.metrics and trial.status != "failed":
            found.setdefault(space.parse(trial.architecture).network.key, trial)
    chosen = tuple(found.values())
    probabilities = np.ones(len(chosen))
    for constraint in objective.constraints:
        probabilities *= _probabilities(chosen, constraint, metrics[constraint.metric], space)
    merits = np.array([trial.metrics[objective.maximize] for trial in chosen])
    return Prospects(chosen, merits, probabilities)


def _probabilities(
    trials: Sequence[Trial], constraint: Constraint, metric: Metric, space: SearchSpace
) -> Floats:
    if isinstance(metric, PredictedMetric) and all(predicted(constraint.metric) in t.metrics for t in trials):
        architectures = [space.parse(trial.architecture) for trial in trials]
        return np.array(metric.probabilities(architectures, constraint.bound))
    return np.array([float(trial.metrics[constraint.metric] <= constraint.bound) for trial in trials])
