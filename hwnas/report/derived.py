"""What the plots and tables need of a run's record; nothing here draws."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwnas.report.front import pareto_front
from hwnas.report.text import label
from hwnas.search.records import Candidate, MetricInfo, RunRecord, Trial

LATENCY, ACCURACY = "latency_ms", "accuracy"
FEASIBLE, INFEASIBLE, FAILED = "feasible", "infeasible", "failed"
_KNOWN = {LATENCY: MetricInfo(LATENCY, "ms", False), ACCURACY: MetricInfo(ACCURACY, "fraction", True)}
_LOG_RATIO = 300
_LARGEST_DRAWN = 1e100


@dataclass(frozen=True)
class Axis:
    """How a metric is drawn.

    Attributes:
        metric: what is drawn.
        title: name with the unit that is drawn.
        scale: what the metric's values are multiplied with; fractions become percent, bytes kB.
        unit: the unit that is drawn.
    """

    metric: MetricInfo
    title: str
    scale: float
    unit: str

    def drawn(self, value: float) -> float:
        """A value of the metric as it is drawn; NaN where it is unknown, or too large for any plot."""
        return value * self.scale if abs(value) < _LARGEST_DRAWN else math.nan


@dataclass(frozen=True)
class Cloud:
    """The trials as columns (n,): position, cost and score (as `Axis.drawn`), state."""

    number: NDArray[np.intp]
    cost: NDArray[np.float64]
    score: NDArray[np.float64]
    state: NDArray[np.str_]

    def where(self, state: str) -> NDArray[np.bool_]:
        """Mask (n,) of the trials in a state that have both numbers."""
        chosen: NDArray[np.bool_] = (self.state == state) & np.isfinite(self.cost) & np.isfinite(self.score)
        return chosen

    def unscored(self) -> NDArray[np.bool_]:
        """Mask (n,) of the trials whose cost is known and whose score is not."""
        return np.isfinite(self.cost) & ~np.isfinite(self.score)


@dataclass(frozen=True)
class Comparison:
    """Candidates that were predicted and measured: (k,) positions in the record, and ms; the winner last."""

    position: list[int]
    predicted: NDArray[np.float64]
    measured: NDArray[np.float64]


def metric_info(record: RunRecord, name: str) -> MetricInfo:
    """What the record says of a metric; a plain number where it says nothing."""
    return record.metrics.get(name) or _KNOWN.get(name) or MetricInfo(name, "", name == record.maximize)


def axis(metric: MetricInfo) -> Axis:
    """How to draw a metric."""
    scale, unit = {"fraction": (100.0, "%"), "bytes": (1 / 1024, "kB")}.get(metric.unit, (1.0, metric.unit))
    name = label(metric.name)
    return Axis(metric, f"{name} ({unit})" if unit else name, scale, unit)


def score_axis(record: RunRecord) -> Axis:
    """The metric that was optimised."""
    return axis(metric_info(record, record.maximize))


def cost_axis(record: RunRecord) -> Axis | None:
    """Latency if bounded, else the first bounded metric, else latency, FLOPs or parameters if known."""
    known = {name for trial in record.trials for name in trial.metrics}
    known |= {name for c in record.candidates for name in (*c.predicted, *c.measured)}
    fallbacks = [name for name in (LATENCY, "flops", "params") if name in known]
    bounded = [LATENCY] if LATENCY in record.bounds else list(record.bounds)
    names = [name for name in (*bounded, *fallbacks) if name != record.maximize]
    return axis(metric_info(record, names[0])) if names else None


def broken(metrics: Mapping[str, float], bounds: Mapping[str, float]) -> list[str]:
    """Names of the bounds that known values break; NaN breaks any."""
    return [name for name, bound in bounds.items() if name in metrics and not metrics[name] <= bound]


def state(trial: Trial, bounds: Mapping[str, float]) -> str:
    """`feasible`, `infeasible` (also where all metrics are known) or `failed`."""
    if trial.status == "failed":
        return FAILED
    return INFEASIBLE if trial.status == "infeasible" or broken(trial.metrics, bounds) else FEASIBLE


def cloud(record: RunRecord) -> Cloud:
    """The trials as columns, for the cost and the score axis."""
    cost, score = cost_axis(record), score_axis(record)
    return Cloud(
        np.array([t.number for t in record.trials], dtype=np.intp),
        _column((t.metrics for t in record.trials), cost),
        _column((t.metrics for t in record.trials), score),
        np.array([state(t, record.bounds) for t in record.trials], dtype=np.str_),
    )


def _column(rows: Iterable[Mapping[str, float]], drawn: Axis | None) -> NDArray[np.float64]:
    if drawn is None:
        return np.array([math.nan for _ in rows], dtype=np.float64)
    return np.array([drawn.drawn(row.get(drawn.metric.name, math.nan)) for row in rows], dtype=np.float64)


def front(points: Cloud) -> NDArray[np.intp]:
    """Positions of the feasible trials on the Pareto front, by rising cost; the score was maximised."""
    feasible = np.flatnonzero(points.where(FEASIBLE))
    return feasible[pareto_front(points.cost[feasible], points.score[feasible])]


def best_so_far(points: Cloud) -> NDArray[np.float64]:
    """Best feasible score (n,) up to each trial, NaN before the first."""
    feasible = (points.state == FEASIBLE) & np.isfinite(points.score)
    values = np.where(feasible, points.score, np.nan)
    best: NDArray[np.float64] = np.fmax.accumulate(values) if len(values) else values
    return best


def best_trial(record: RunRecord) -> Trial | None:
    """The first feasible trial of the greatest score, even one too large to be drawn; None without one."""
    name = record.maximize
    scored = [t for t in record.trials if math.isfinite(t.metrics.get(name, math.nan))]
    feasible = [t for t in scored if state(t, record.bounds) == FEASIBLE]
    return max(feasible, key=lambda trial: trial.metrics[name], default=None)


def counts(points: Cloud, bins: int = 40) -> tuple[NDArray[np.float64], dict[str, NDArray[np.intp]]]:
    """Edges (b + 1,) of equal groups of trials in order, and the number of each state (b,) in them."""
    first, last = (points.number.min(), points.number.max()) if len(points.number) else (0, 0)
    size = max(1, math.ceil((last - first + 1) / bins))
    edges = np.arange(first, last + size + 1, size) - 0.5
    states = (FEASIBLE, INFEASIBLE, FAILED)
    return edges, {s: np.histogram(points.number[points.state == s], edges)[0] for s in states}


def rejections(record: RunRecord) -> list[tuple[str, int]]:
    """Why trials are no answers, with how many, most frequent first."""
    found: Counter[str] = Counter()
    for trial in record.trials:
        kind = state(trial, record.bounds)
        if kind != FEASIBLE:
            found[_reason(trial, kind, record)] += 1
    return found.most_common()


def _reason(trial: Trial, kind: str, record: RunRecord) -> str:
    names = broken(trial.metrics, record.bounds)
    if kind == INFEASIBLE and names:
        return "over budget: " + ", ".join(label(name) for name in names)
    return f"{kind}: {trial.reason.strip().splitlines()[0]}" if trial.reason.strip() else kind


def known(candidate: Candidate, name: str) -> float:
    """What is known of a candidate: measured before predicted, else NaN."""
    return candidate.measured.get(name, candidate.predicted.get(name, math.nan))


def comparison(record: RunRecord) -> Comparison:
    """The candidates whose latency was predicted and measured."""
    pairs = [
        (i, c.predicted.get(LATENCY, math.nan), c.measured.get(LATENCY, math.nan))
        for i, c in enumerate(record.candidates)
    ]
    pairs = [pair for pair in pairs if 0 < pair[1] < math.inf and 0 < pair[2] < math.inf]
    pairs.sort(key=lambda pair: pair[0] == record.winner)
    columns = np.array([pair[1:] for pair in pairs], dtype=np.float64).reshape(-1, 2)
    return Comparison([pair[0] for pair in pairs], columns[:, 0], columns[:, 1])


def deviation(candidate: Candidate) -> float:
    """Measured over predicted latency less 1, NaN where either is missing."""
    predicted = candidate.predicted.get(LATENCY, math.nan)
    return candidate.measured.get(LATENCY, math.nan) / predicted - 1 if predicted else math.nan


def answer(record: RunRecord) -> Candidate | None:
    """The winner, or else the nearest candidate."""
    if not record.candidates:
        return None
    return record.candidates[record.winner or 0]


def shares(values: Iterable[float | None]) -> NDArray[np.float64]:
    """Each value's share (n,) of the sum; NaN where unknown, or where the sum is 0."""
    numbers = np.array([math.nan if v is None else v for v in values], dtype=np.float64)
    total = float(np.nansum(numbers))
    return numbers / total if total > 0 else np.full(len(numbers), math.nan)


def wants_log(values: NDArray[np.float64]) -> bool:
    """Whether values (n,) span so much that a linear axis would hide most of them."""
    finite = values[np.isfinite(values)]
    return bool(len(finite) and finite.min() > 0 and finite.max() / finite.min() > _LOG_RATIO)
