"""All strategies on NAS-Bench-201, without and with proxies and latency budgets, beside other libraries.

    python -m benchmarks.strategies --data ../shared/data --jobs 16

writes `docs/strategies_nasbench201.md` and `docs/strategies_nasbench201.png`. A repeat of the slow ones (PPO,
the predictor-guided strategies, Optuna's samplers, and all under the budgets) takes two minutes of one core.
Each search is kept in `--kept` once it is done: repeat the command after a stop, or do parts of it elsewhere
by `--only`, and join the files.
"""

import argparse
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.strategies_page import REA, write_page
from hwnas.executors import process_pool
from hwnas.objectives import Constraint, Metric, Objective
from hwnas.oracles import oracle
from hwnas.search.comparison import (
    Contestant,
    RecordedSpace,
    SearchJournal,
    StrategyComparison,
    compare,
    contestants,
    counted,
    named,
    peers,
    recorded_space,
    scale,
)
from hwnas.spaces import NASBench201

SPACE = NASBench201()
PROXIES = ("live_params",)
QUERIES = 300
DEVICES = ("1080ti_1", "pixel3", "samsung_a50", "silver_4114", "gold_6240", "titan_rtx_32")
SHARES = (0.1, 0.25, 0.5, 0.75)
BUDGETED = ("random", REA, "local_search", "nsga2:population=20", "bananas", "bayesian", "brp_nas")
TRAINED = 50
BEST = "bayesian + live_params"
SLOW = ("ppo", "bananas", "bayesian", "brp_nas")
NASWOT = ("naswot:samples=10", "naswot:samples=100")


@dataclass(frozen=True)
class Setting:
    """Where data and NASWOT's scores are, how often fast and slow ones search, by whom, and what is kept."""

    data: Path
    scores: Path | None
    repeats: int
    slow_repeats: int
    executor: Executor
    journal: SearchJournal

    def compare(
        self,
        taking_part: Sequence[Contestant],
        recorded: RecordedSpace,
        objective: Objective,
        queries: int,
        repeats: int,
    ) -> StrategyComparison:
        def said(done: int, total: int, label: str) -> None:
            if done == total or not done % 100:
                print(f"{done} of {total}: {label}", flush=True)

        return compare(
            recorded,
            objective,
            taking_part,
            repeats=repeats,
            queries=queries,
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
        if self.scores:
            metrics["naswot"] = oracle(self.scores, "naswot", SPACE, higher_is_better=True)
        return recorded_space(SPACE, Objective("accuracy"), metrics)

    def seen(self, device: str | None = None) -> RecordedSpace:
        """What is recorded without latencies, or with those of one device."""
        metrics = {name: one for name, one in self.recorded.metrics.items() if name not in DEVICES}
        if device:
            metrics["latency_ms"] = replace(self.recorded.metrics[device], name="latency_ms")
        return RecordedSpace(SPACE, metrics)

    @cached_property
    def everybody(self) -> list[Contestant]:
        """All that take part without a budget."""
        score = scale(self.recorded.metrics["accuracy"])
        own = contestants([*named("all"), REA], PROXIES, score=score)
        published = contestants(NASWOT) if self.scores else []
        return [*own, *published, *peers()[0]]


def is_slow(one: Contestant) -> bool:
    return one.is_peer or one.strategy in SLOW


def fast(setting: Setting) -> StrategyComparison:
    """The fast ones without a budget."""
    chosen = [one for one in setting.everybody if not is_slow(one)]
    return setting.compare(chosen, setting.seen(), Objective("accuracy"), QUERIES, setting.repeats)


def best(setting: Setting) -> StrategyComparison:
    """The best, with fewer networks, as often as the fast ones."""
    chosen = [one for one in setting.everybody if one.label == BEST]
    return setting.compare(chosen, setting.seen(), Objective("accuracy"), 100, setting.repeats)


def slow(setting: Setting) -> StrategyComparison:
    """The slow ones without a budget, less often."""
    chosen = [one for one in setting.everybody if is_slow(one)]
    return setting.compare(chosen, setting.seen(), Objective("accuracy"), QUERIES, setting.slow_repeats)


def budgets(setting: Setting) -> list[tuple[str, float, StrategyComparison]]:
    """The comparison for each device and each share of the architectures that keep the budget."""
    found = []
    own = contestants(BUDGETED, PROXIES, score=scale(setting.recorded.metrics["accuracy"]))
    chosen = [one for one in own if one.label in (*BUDGETED, BEST)]
    for device in DEVICES:
        recorded = setting.seen(device)
        times = recorded.metrics["latency_ms"].values
        for share in SHARES:
            bound = float(np.quantile(times[recorded.is_architecture], share))
            objective = Objective("accuracy", (Constraint("latency_ms", bound),))
            print(f"{device}, {share:.0%}", flush=True)
            one = setting.compare([*chosen, *peers()[0]], recorded, objective, TRAINED, setting.slow_repeats)
            found.append((device, share, one))
    return found


PARTS: dict[str, Callable[[Setting], Any]] = {"fast": fast, "best": best, "slow": slow, "budgets": budgets}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with nasbench201/")
    parser.add_argument("--scores", type=Path, help="NASWOT's scores of all cells, from hwnas score")
    parser.add_argument("--repeats", type=int, default=500)
    parser.add_argument("--slow-repeats", type=int, default=50)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--kept", type=Path, default=Path("runs/strategies.jsonl"), help="searches done")
    parser.add_argument(
        "--only", nargs="+", choices=PARTS, default=list(PARTS), help="these parts, and no page"
    )
    given = parser.parse_args()
    with process_pool(given.jobs) as executor:
        journal = SearchJournal(given.kept)
        setting = Setting(given.data, given.scores, given.repeats, given.slow_repeats, executor, journal)
        done = {name: part(setting) for name, part in PARTS.items() if name in given.only}
    if len(done) < len(PARTS):
        return
    joined = replace(
        done["fast"],
        entries=[*done["fast"].entries, *done["slow"].entries],
        left_out={**done["fast"].left_out, **done["slow"].left_out},
    )
    print(write_page(joined, done["best"], done["budgets"]))


if __name__ == "__main__":
    main()
