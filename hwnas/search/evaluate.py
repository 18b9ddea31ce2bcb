"""Evaluate one architecture: cheap metrics first, expensive ones only where it is feasible."""

from __future__ import annotations

import hashlib
import math
import pickle
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from hwnas.objectives import Metric, MetricError, Objective
from hwnas.search.fidelity import metric_named, split
from hwnas.search.metrics import predicted
from hwnas.search.records import Status
from hwnas.spaces import Architecture, SearchSpace

Values = Mapping[str, float]


@dataclass(frozen=True)
class Outcome:
    """What evaluating an architecture gave; see `hwnas.search.records.Trial`.

    `raised` tells that a metric raised an exception that is no `MetricError`.
    """

    status: Status
    metrics: Mapping[str, float]
    reason: str
    seconds: float
    lost: bool = False
    raised: bool = False


@dataclass(frozen=True)
class Evaluator:
    """Computes the metrics of architectures of one space; travels to worker processes as it is.

    Attributes:
        space: of the architectures.
        objective: its constraints decide what is evaluated.
        metrics: by name.
        trains_infeasible: whether what costs is computed of architectures that break a constraint, too.
    """

    space: SearchSpace
    objective: Objective
    metrics: Mapping[str, Metric]
    trains_infeasible: bool = False

    def __call__(
        self, architecture: Architecture, maximize: str, report: Callable[[Values], None] | None = None
    ) -> Outcome:
        """The constrained metrics, all cheap ones, and `maximize`, as far as the constraints allow.

        What costs, an expensive metric and the objective's own, is computed only where it is asked for.

        It is computed too where only the upper bound of a prediction breaks a constraint:
        the verification may still find that the network satisfies it. Where `trains_infeasible`, the
        constraints allow everything.

        Whatever a metric raises makes the trial fail: a `MetricError` says that it is undefined, any other
        exception may be a bug.

        Args:
            architecture: of the space.
            maximize: a metric of `metrics`, or one of them after a part of the training, `accuracy@0.111`.
            report: called with the values so far, after each metric.
        """
        started = time.perf_counter()
        values: dict[str, float] = {}
        failure: str | None = None
        raised = False
        for name, metric in self._wanted(maximize):
            if self._costs(name, metric) and self._is_ruled_out(values):
                break
            try:
                value = float(metric(architecture))
            except MetricError as error:
                failure = str(error)
                break
            except Exception as error:  # a user's metric may raise anything
                failure, raised = f"{name} raised {_where_and_what(error)}", True
                break
            failure = self._refused(name, value)
            if failure is not None:
                break
            values[name] = value
            if report is not None:
                report(values)
        found = self.outcome(maximize, values, failure, time.perf_counter() - started)
        return replace(found, raised=raised)

    def outcome(self, maximize: str, values: Values, failure: str | None, seconds: float) -> Outcome:
        """What is known after so many seconds: the values, and why one is missing, or None."""
        lost = failure is not None and all(name in values for name, _ in self._wanted(maximize)[:-1])
        violated = self._violated(values)
        if violated and not lost:
            return Outcome("infeasible", values, "; ".join([*violated, *filter(None, [failure])]), seconds)
        return Outcome("complete" if failure is None else "failed", values, failure or "", seconds, lost)

    def _wanted(self, maximize: str) -> list[tuple[str, Metric]]:
        """Names and metrics, those that are not expensive first, and `maximize` last."""
        known_anyway = (name for name, metric in self.metrics.items() if not self._costs(name, metric))
        names = dict.fromkeys([*(c.metric for c in self.objective.constraints), *known_anyway, maximize])
        wanted = [(name, metric_named(name, self.metrics)) for name in names]
        return sorted(wanted, key=lambda pair: (pair[0] == maximize, pair[1].expensive))

    def _costs(self, name: str, metric: Metric) -> bool:
        """The objective's own metric is one that a search has a budget of, even where it is cheap."""
        return metric.expensive or split(name)[0] == self.objective.maximize

    def _is_ruled_out(self, values: Values) -> bool:
        return not self.trains_infeasible and bool(self._violated(_as_predicted(values)))

    def _refused(self, name: str, value: float) -> str | None:
        """Why a value is none that can be compared; None where it can."""
        if not math.isfinite(value):
            return f"{name} must be a finite number, not {value}"
        if value < 0 and any(name == c.metric for c in self.objective.constraints):
            return f"{name} has an upper bound, so it must be at least 0, not {value:g}"
        return None

    def _violated(self, values: Mapping[str, float]) -> list[str]:
        return [
            f"{c.metric} {values[c.metric]:.4g} > {c.bound:.4g}"
            for c in self.objective.constraints
            if c.violation(values.get(c.metric, 0.0)) > 0
        ]


def _where_and_what(error: Exception) -> str:
    """`TypeError (accuracy.py, line 12): what it says`."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} ({Path(place.filename).name}, line {place.lineno}): {error}"


def _as_predicted(values: Mapping[str, float]) -> Mapping[str, float]:
    """The predictions themselves in place of their upper bounds."""
    return {name: values.get(predicted(name), value) for name, value in values.items()}


@dataclass(frozen=True)
class Task:
    """An evaluation for a worker: the evaluator's bytes travel along, and are unpacked once."""

    evaluator: bytes
    encoding: tuple[int, ...]
    maximize: str

    def __call__(self) -> Outcome:
        """Evaluate in this process."""
        evaluator = unpacked(self.evaluator)
        return evaluator(evaluator.space.from_encoding(self.encoding), self.maximize)


def packed(evaluator: Evaluator) -> bytes:
    """The evaluator as bytes for `Task`; raises ValueError where a part of it cannot travel."""
    try:
        return pickle.dumps(evaluator)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise ValueError(
            "to run in worker processes, the space and the metrics must be defined in an importable module: "
            f"{error}"
        ) from error


def unpacked(content: bytes) -> Evaluator:
    """The evaluator that `packed` made these bytes of, in another process; the last ones are kept."""
    return _unpacked(hashlib.blake2b(content, digest_size=16).digest(), _Bytes(content))


class _Bytes:
    """Bytes that the cache does not compare: their digest stands beside them."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Bytes)

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=2)
def _unpacked(digest: bytes, content: _Bytes) -> Evaluator:
    evaluator: Evaluator = pickle.loads(content.content)  # our own bytes, from the parent process
    return evaluator
