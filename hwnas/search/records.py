"""What a search records: plain data, from which the report is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from hwnas.search.fidelity import split

Status = Literal["complete", "infeasible", "failed"]


@dataclass(frozen=True)
class Trial:
    """One architecture that the strategy asked for.

    Attributes:
        number: position in the search, from 0.
        architecture: its text.
        status: `complete` (all metrics), `infeasible` (a constraint is broken; expensive metrics were
            computed only where the strategy learns from them), or `failed` (a metric could not be computed).
        metrics: values by metric name; only those that were computed.
        reason: why it is infeasible or failed, empty otherwise.
        seconds: time spent on its metrics.
        asked: the metric that the strategy asked for, `accuracy@0.111` after a part of the training.
        lost: whether computing that metric had begun, and gave nothing.
    """

    number: int
    architecture: str
    status: Status
    metrics: Mapping[str, float]
    reason: str = ""
    seconds: float = 0.0
    asked: str = ""
    lost: bool = False

    @property
    def fidelity(self) -> float:
        """The part of the full training that was asked for, in (0, 1]."""
        return split(self.asked)[1]


@dataclass(frozen=True)
class BlockShare:
    """One block of the winning network: where its latency goes."""

    name: str
    operators: str
    output_shape: tuple[int, ...]
    macs: int
    params: int
    latency_ms: float | None


@dataclass(frozen=True)
class Interval:
    """What a predictor says of a quantity beside its prediction, in its unit.

    Attributes:
        level: probability of each of the two statements that follow.
        low: lower end of the interval that the measured value lies in.
        high: its upper end.
        upper: what the measured value does not exceed; the search compares it with the bound.
    """

    level: float
    low: float
    high: float
    upper: float


@dataclass(frozen=True)
class Candidate:
    """A network that was trained or measured at the end of a search.

    Attributes:
        architecture: its text.
        predicted: metrics as the search knew them; of a predictor the prediction itself.
        measured: metrics measured on the device (`latency_ms`) or by training (`accuracy`).
        satisfies: whether the measured values, and the predicted ones (or their upper bounds) that
            nothing measures, keep every constraint.
        onnx: file name in the run folder, if written.
        blocks: the network block by block, for the winner.
        reason: why it could not be measured or trained, empty otherwise.
        intervals: by metric name, around those predicted values that a calibrated predictor gave.
        flag: `rescaled`: the machine's speed had changed since the predictor's table was measured, and the
            measured latency is brought to the table's scale by the sentinels; `drifted`: the sentinels
            contradict each other, other processes disturbed the measurement; empty otherwise.
        as_measured_ms: the latency before it was rescaled; None where it was not measured.
        at_most_ms: the least favourable reading of the measurement, with which a bound is compared: the
            larger of the latency and that before rescaling; where other processes disturbed it, of what the
            clock said and what the sentinel of largest ratio makes of it. None where it was not measured.
    """

    architecture: str
    predicted: Mapping[str, float]
    measured: Mapping[str, float]
    satisfies: bool
    onnx: str | None = None
    blocks: Sequence[BlockShare] = ()
    reason: str = ""
    intervals: Mapping[str, Interval] = field(default_factory=dict)
    flag: str = ""
    as_measured_ms: float | None = None
    at_most_ms: float | None = None

    @property
    def compared(self) -> dict[str, float]:
        """What the bounds are compared with: measured values, else upper bounds, else predictions.

        Of a measured latency it is the least favourable reading.
        """
        upper = {name: interval.upper for name, interval in self.intervals.items()}
        at_most = {} if self.at_most_ms is None else {"latency_ms": self.at_most_ms}
        return {**self.predicted, **upper, **self.measured, **at_most}

    def within(self, name: str) -> bool | None:
        """Whether a measured value lies in its interval; None where either is missing."""
        if name not in self.measured or name not in self.intervals:
            return None
        return self.intervals[name].low <= self.measured[name] <= self.intervals[name].high


@dataclass(frozen=True)
class MetricInfo:
    """Name, unit and direction of a metric."""

    name: str
    unit: str
    higher_is_better: bool


@dataclass(frozen=True)
class RunRecord:
    """Everything that a finished, or interrupted, search left in its folder.

    Attributes:
        title: short name of the run.
        maximize: name of the metric that the search optimised.
        metrics: what each metric is.
        bounds: upper bound by metric name.
        trials: in order.
        candidates: the verified ones, best first.
        winner: index into `candidates` of the answer, or None where none satisfies the constraints;
            then the first candidate is the nearest.
        config: settings of the search.
        environment: machine, versions, device card.
        predictor_error: held-out error of the latency predictor (`mape`, `within_5`, `within_10`,
            `spearman`), if one was used.
    """

    title: str
    maximize: str
    metrics: Mapping[str, MetricInfo]
    bounds: Mapping[str, float]
    trials: Sequence[Trial]
    candidates: Sequence[Candidate]
    winner: int | None
    config: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    predictor_error: Mapping[str, float] = field(default_factory=dict)
