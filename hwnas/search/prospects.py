"""Trials that are worth verifying: how good each is, and how likely it satisfies the constraints."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwnas.objectives import Constraint, Metric, Objective
from hwnas.search.metrics import PredictedMetric, predicted
from hwnas.search.records import Trial
from hwnas.spaces import SearchSpace

Floats = NDArray[np.float64]
KeyOf = Callable[[str], str]
"""From an architecture's text to the canonical key of its network."""


@dataclass(frozen=True)
class Prospects:
    """Trials of different networks that have the maximised metric and may satisfy the constraints.

    Attributes:
        trials: of each network the one of best merit, in the order in which the networks were first tried.
        merits: `[n]`, the maximised metric.
        probabilities: `[n]`, with which each satisfies all constraints by measurement; above 0.
    """

    trials: tuple[Trial, ...]
    merits: Floats
    probabilities: Floats


def prospects(
    trials: Sequence[Trial],
    objective: Objective,
    metrics: Mapping[str, Metric],
    space: SearchSpace,
    key_of: KeyOf,
    verified: Collection[str] = (),
) -> Prospects:
    """The prospects among `trials`; those that certainly break a constraint are left out.

    Those whose networks' keys are in `verified` are left out, too.
    """
    best = _best_of_each(trials, objective.maximize, key_of)
    left = [trial for key, trial in best.items() if key not in verified]
    probabilities = np.ones(len(left))
    for constraint in objective.constraints:
        probabilities *= _probabilities(left, constraint, metrics[constraint.metric], space)
    possible = np.flatnonzero(probabilities > 0)
    merits = np.array([left[i].metrics[objective.maximize] for i in possible])
    return Prospects(tuple(left[i] for i in possible), merits, probabilities[possible])


def _best_of_each(trials: Sequence[Trial], maximize: str, key_of: KeyOf) -> dict[str, Trial]:
    """Of each network with the maximised metric the best trial, the first of equals, by the network's key."""
    best: dict[str, Trial] = {}
    for trial in trials:
        if maximize in trial.metrics and trial.status != "failed":
            key = key_of(trial.architecture)
            if key not in best or trial.metrics[maximize] > best[key].metrics[maximize]:
                best[key] = trial
    return best


def _probabilities(
    trials: Sequence[Trial], constraint: Constraint, metric: Metric, space: SearchSpace
) -> Floats:
    """`[n]`: 0 or 1 by a trial's value, 0 without one; where the value is a bound, of the prediction."""
    name, bound = constraint.metric, constraint.bound
    found = np.array([float(name in trial.metrics and trial.metrics[name] <= bound) for trial in trials])
    bounded = [i for i, trial in enumerate(trials) if predicted(name) in trial.metrics]
    if isinstance(metric, PredictedMetric) and bounded:
        architectures = [space.parse(trials[i].architecture) for i in bounded]
        found[bounded] = metric.probabilities(architectures, bound)
    return found
