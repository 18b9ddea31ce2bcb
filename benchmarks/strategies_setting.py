"""What the parts of the strategies' benchmark share: NAS-Bench-201's results, and how often to search."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hwnas.objectives import Metric, Objective
from hwnas.oracles import oracle, read_table
from hwnas.search.comparison import (
    Contestant,
    RecordedSpace,
    SearchJournal,
    StrategyComparison,
    compare,
    counted,
    recorded_space,
    scale,
)
from hwnas.spaces import NASBench201

SPACE = NASBench201()
PROXIES = ("live_params",)
DEVICES = ("1080ti_1", "pixel3", "samsung_a50", "silver_4114", "gold_6240", "titan_rtx_32")
SHARES = (0.1, 0.25, 0.5, 0.75)
"""Of the architectures, that keep a latency budget."""
TRAINED = 50
"""Networks trained under a latency budget."""
BEST = "bayesian + live_params"
REA = "evolution"
BOHB = "bohb:rungs=1"


@dataclass(frozen=True)
class Setting:
    """Where data and NASWOT's scores are, how often is searched, by whom, and what is kept.

    Fast ones are searched with `repeats` times, slow ones `slow_repeats`, under each budget `budget_repeats`.
    """

    data: Path
    scores: Path | None
    repeats: int
    slow_repeats: int
    budget_repeats: int
    executor: Executor
    journal: SearchJournal

    def compare(
        self,
        taking_part: Sequence[Contestant],
        recorded: RecordedSpace,
        objective: Objective,
        queries: int,
        repeats: int,
        seed: int = 0,
    ) -> StrategyComparison:
        """As `hwnas.search.comparison.compare`; the progress is printed."""

        def said(done: int, total: int, label: str) -> None:
            if not done % 100:
                print(f"{done} of {total}: {label}", flush=True)

        return compare(
            recorded,
            objective,
            taking_part,
            repeats=repeats,
            queries=queries,
            seed=seed,
            executor=self.executor,
            journal=self.journal,
            progress=said,
        )

    @cached_property
    def recorded(self) -> RecordedSpace:
        """Accuracy, proxies and the latencies by device, each looked up once."""

        def column(file: str, name: str, metric: str) -> Metric:
            return oracle(self.data / "nasbench201" / file, name, SPACE, name=metric)

        metrics = {
            "accuracy": column("cifar10_accuracy.csv", "test_accuracy", "accuracy"),
            **counted(PROXIES),
        }
        metrics |= {one: column("latency_ms.parquet", one, "latency_ms") for one in DEVICES}
        if self.naswot_file:
            metrics["naswot"] = oracle(self.naswot_file, "naswot", SPACE, higher_is_better=True)
        return recorded_space(SPACE, Objective("accuracy"), metrics)

    @cached_property
    def naswot_file(self) -> Path | None:
        """The file of NASWOT's scores; None, with a word on why, where it does not have all cells."""
        if self.scores is None or not self.scores.exists():
            print(f"no AREA and no NASWOT: {self.scores or '--scores'} is not there", flush=True)
            return None
        there = len(read_table(self.scores).architectures)
        if there < SPACE.size:
            print(f"no AREA and no NASWOT: {self.scores} has {there:,} of {SPACE.size:,} cells", flush=True)
            return None
        return self.scores

    @property
    def score(self) -> str:
        """What strategies that learn from rewards take the accuracy for."""
        return scale(self.recorded.metrics["accuracy"])

    def seen(self, latency_ms: npt.NDArray[np.float64] | None = None) -> RecordedSpace:
        """What is recorded without latencies, or with these, `[combinations]`."""
        metrics = {name: one for name, one in self.recorded.metrics.items() if name not in DEVICES}
        if latency_ms is not None:
            any_device = self.recorded.metrics[DEVICES[0]]
            metrics["latency_ms"] = replace(any_device, name="latency_ms", values=latency_ms)
        return RecordedSpace(SPACE, metrics)

    def latency_ms(self, device: str) -> npt.NDArray[np.float64]:
        """`[combinations]`: the recorded ones of a device."""
        return self.recorded.metrics[device].values

    def budget_ms(self, device: str, share: float) -> float:
        """The latency that this share of the architectures keep on a device."""
        return float(np.quantile(self.latency_ms(device)[self.recorded.is_architecture], share))


def mean_and_error(values: npt.NDArray[np.float64]) -> tuple[float, float]:
    """The mean of `[n]` and its standard error."""
    return float(values.mean()), float(values.std(ddof=1)) / math.sqrt(len(values)) if len(
        values
    ) > 1 else math.nan
