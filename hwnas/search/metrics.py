"""From names to metrics: what a search may maximise and constrain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from hwnas.cost import count
from hwnas.cost.metrics import MEMORY_METRICS
from hwnas.latency.predictors import MissingBlockError
from hwnas.objectives import Metric, MetricError
from hwnas.search.batch import PROXY_BATCH, proxy_batch
from hwnas.search.records import Interval
from hwnas.search.reduced import NAME as REDUCED
from hwnas.search.reduced import reduced_accuracy
from hwnas.search.zero_cost import NAME as ZERO_COST
from hwnas.search.zero_cost import ZeroCostMetric
from hwnas.spaces import Architecture

COUNTS = ("flops", "macs", "params", "activations", "live_flops", "live_macs", "live_params")


def more_is_better(metric: Metric) -> bool:
    """Whether more of a metric is better where architectures are scored by it.

    A count is a cost where it is bounded or minimised, and so less is better of it. As a score it is one of
    the best zero-cost proxies, of which more is better (White et al., "A Deeper Look at Zero-Cost Proxies for
    Lightweight NAS", ICLR Blog Track, 2022).
    """
    return metric.higher_is_better or metric.name in COUNTS


def merit(metric: Metric, value: float) -> float:
    """A metric's `value` as a score, of which more is better."""
    return value if more_is_better(metric) else -value


@dataclass(frozen=True)
class CountMetric:
    """`flops`, `macs`, `params`, `activations`, or one of them over live layers (`live_params`)."""

    name: str
    unit: str = ""
    higher_is_better: bool = False
    expensive: bool = False

    def __call__(self, architecture: Architecture) -> float:
        """The count of the architecture's network."""
        counts = count(architecture.network)
        chosen = counts.live if self.name.startswith("live_") else counts.whole
        return float(getattr(chosen, self.name.removeprefix("live_")))


@dataclass(frozen=True)
class PredictedMetric:
    """`latency_ms` (or another measured quantity) as a fitted predictor gives it.

    Args:
        name: of the quantity.
        predictor: anything with `predict(networks)`.
        confidence: give what the measured value stays below with this probability, instead of the
            prediction; for predictors with `upper(networks, level)` and a calibration.
    """

    name: str
    predictor: Any
    confidence: float | None = None
    higher_is_better: bool = False
    expensive: bool = False

    @property
    def unit(self) -> str:
        """By the ending of the name: `ms` or `mJ`."""
        return {"ms": "ms", "mj": "mJ"}.get(self.name.rpartition("_")[2], "")

    def __call__(self, architecture: Architecture) -> float:
        """The prediction or its bound; raises MetricError where a look-up lacks a block of the network."""
        networks = [architecture.network]
        try:
            if self.confidence is None:
                return float(self.predictor.predict(networks)[0])
            return float(self.predictor.upper(networks, self.confidence)[0])
        except MissingBlockError as error:
            raise MetricError(f"{self.name}: {error}") from error

    def interval(self, architecture: Architecture) -> Interval | None:
        """The interval of probability `confidence`; None without one."""
        if self.confidence is None:
            return None
        low, high = self.predictor.interval([architecture.network], self.confidence)
        return Interval(self.confidence, float(low[0]), float(high[0]), self(architecture))

    def probabilities(self, architectures: Sequence[Architecture], bound: float) -> list[float]:
        """With which probability each measured value is at most `bound`; 0 or 1 without a confidence."""
        networks = [architecture.network for architecture in architectures]
        if self.confidence is None:
            return [float(value <= bound) for value in self.predictor.predict(networks)]
        return [float(value) for value in self.predictor.probability_within(networks, bound)]


def predicted(name: str) -> str:
    """The name of the prediction itself, where the quantity `name` is an upper bound."""
    return f"predicted_{name}"


def predicted_metrics(name: str, predictor: Any, confidence: float | None) -> list[PredictedMetric]:
    """The bound of a predicted quantity, and the prediction itself beside it where they differ.

    Without a confidence above 0.5, and of a predictor without a calibration, it is the prediction alone.
    """
    if confidence in (None, 0.5) or not getattr(predictor, "is_calibrated", False):
        return [PredictedMetric(name, predictor)]
    return [PredictedMetric(name, predictor, confidence), PredictedMetric(predicted(name), predictor)]


@dataclass(frozen=True)
class ProxyMetric:
    """A zero-cost proxy on a freshly initialised module; one initialisation and one batch per seed.

    Args:
        name: of the proxy.
        data: name or path of a data set to draw the batch from; standard normal noise where None.
        seed: of the initialisation and the batch.
        batch: images in the batch.
    """

    name: str
    data: str | None = None
    seed: int = 0
    batch: int = PROXY_BATCH
    unit: str = ""
    expensive: bool = True
    higher_is_better: bool = field(init=False)

    def __post_init__(self) -> None:
        from hwnas.proxies import get

        object.__setattr__(self, "higher_is_better", get(self.name).higher_is_better)

    def __call__(self, architecture: Architecture) -> float:
        """The proxy's value; raises MetricError with the proxy's reason where it is not finite."""
        from hwnas.proxies.untrained import score_network

        network = architecture.network
        classes = network.outputs[0].size
        inputs, targets = proxy_batch(self.data, network.inputs[0].shape, classes, self.seed, self.batch)
        result = score_network(network, [self.name], inputs, targets, seed=self.seed)[self.name]
        if result.reason is not None:
            raise MetricError(f"{self.name}: {result.reason}")
        return float(result.value)


def known_metrics() -> list[str]:
    """Names that `metric` resolves by itself."""
    from hwnas.proxies import names

    return [*COUNTS, *MEMORY_METRICS, ZERO_COST, REDUCED, *(name for name in names() if name not in COUNTS)]


def metric(name: str, *, data: str | None = None, seed: int = 0, runtime: str | None = None) -> Metric:
    """The metric called `name`: a count, a proxy, `zero_cost` (several joined), `reduced_accuracy` (EcoNAS).

    `peak_sram_bytes` and `flash_bytes` are those of a microcontroller's `runtime`.

    Raises:
        ValueError: unknown; says what is known, and what a latency or a memory needs.
    """
    if name in COUNTS:
        return CountMetric(name)
    if name in MEMORY_METRICS:
        return _memory(name, runtime)
    if name == ZERO_COST:
        return ZeroCostMetric(data, seed)
    if name == REDUCED:
        return reduced_accuracy(data, seed)
    from hwnas.proxies import names

    if name in names():
        return ProxyMetric(name, data, seed)
    if name in ("latency_ms", "latency", "energy_mj"):
        raise ValueError(
            f"metric {name!r} needs a predictor: --predictor NAME, or metrics={{'latency_ms': predictor}}"
        )
    close = get_close_matches(name, known_metrics(), n=1)
    hint = f"; did you mean {close[0]!r}?" if close else "."
    raise ValueError(f"unknown metric {name!r}{hint} Known: {', '.join(known_metrics())}")


def _memory(name: str, runtime: str | None) -> Metric:
    from hwnas.cost.memory import RUNTIMES

    if runtime is None or runtime not in RUNTIMES:
        wrong = "which is missing" if runtime is None else f"not {runtime!r}"
        raise ValueError(f"metric {name!r} needs a runtime, {wrong}: {', '.join(RUNTIMES)}")
    return MEMORY_METRICS[name](runtime)
