"""All strategies on NAS-Bench-201, without and with proxies and latency budgets, beside other libraries.

    python -m benchmarks.strategies --data ../shared/data

writes `docs/strategies_nasbench201.md` and `docs/strategies_nasbench201.png`. A repeat of the slow ones (PPO,
the predictor-guided strategies, Optuna's samplers, and all under the budgets) takes two minutes of one core.
"""

import argparse
import csv
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from hwnas.executors import process_pool
from hwnas.objectives import Constraint, Metric, Objective
from hwnas.oracles import oracle
from hwnas.report.comparison_png import write_png
from hwnas.report.comparison_text import headline, heads, legend, number, remarks, rows, target, task
from hwnas.search.comparison import (
    Contestant,
    RecordedSpace,
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

DOCS = Path("docs")
PUBLISHED = Path("tests/reference/nasbench201_strategies.csv")
SPACE = NASBench201()
PROXIES = ("live_params",)
QUERIES = 300
REA = "evolution:population=10,tournament=3"
DEVICES = ("1080ti_1", "pixel3", "samsung_a50", "silver_4114", "gold_6240", "titan_rtx_32")
SHARES = (0.1, 0.25, 0.5, 0.75)
BUDGETED = ("random", REA, "local_search", "nsga2:population=20", "bananas", "bayesian", "brp_nas")
TRAINED = 50
BEST = "bayesian + live_params"
SLOW = ("ppo", "bananas", "bayesian", "brp_nas")


@dataclass(frozen=True)
class Setting:
    """Where the data is, how often a search is repeated, a fast one and a slow one, and by whom."""

    data: Path
    repeats: int
    slow_repeats: int
    executor: Executor

    def metric(self, file: str, column: str, name: str) -> Metric:
        return oracle(self.data / "nasbench201" / file, column, SPACE, name=name)

    @property
    def accuracy(self) -> Metric:
        return self.metric("cifar10_accuracy.csv", "test_accuracy", "accuracy")

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
            progress=said,
        )


def is_slow(one: Contestant) -> bool:
    return one.is_peer or one.strategy in SLOW


def unbounded(setting: Setting, proxies: dict[str, Metric]) -> tuple[StrategyComparison, StrategyComparison]:
    """Everybody, the slow ones less often; and the best, with fewer networks, as often as the others."""
    objective = Objective("accuracy")
    recorded = recorded_space(SPACE, objective, {"accuracy": setting.accuracy, **proxies})
    score = scale(recorded.metrics["accuracy"])
    everybody = [*contestants([*named("all"), REA], list(proxies), score=score), *peers()[0]]
    slow = [one for one in everybody if is_slow(one)]
    fast = [one for one in everybody if not is_slow(one)]
    best = [one for one in everybody if one.label == BEST]
    often = setting.compare(fast, recorded, objective, QUERIES, setting.repeats)
    rarely = setting.compare(slow, recorded, objective, QUERIES, setting.slow_repeats)
    of_100 = setting.compare(best, recorded, objective, 100, setting.repeats)
    joined = replace(
        often,
        entries=[*often.entries, *rarely.entries],
        left_out={**often.left_out, **rarely.left_out},
    )
    return joined, of_100


def budgets(setting: Setting, proxies: dict[str, Metric]) -> list[tuple[str, float, StrategyComparison]]:
    """The comparison for each device and each share of the architectures that keep the budget."""
    found = []
    for device in DEVICES:
        latency = setting.metric("latency_ms.parquet", device, "latency_ms")
        metrics = {"accuracy": setting.accuracy, "latency_ms": latency, **proxies}
        times = [latency(one) for one in SPACE]
        for share in SHARES:
            objective = Objective("accuracy", (Constraint("latency_ms", float(np.quantile(times, share))),))
            recorded = recorded_space(SPACE, objective, metrics)
            own = contestants(BUDGETED, list(proxies), score=scale(recorded.metrics["accuracy"]))
            chosen = [one for one in own if one.label in (*BUDGETED, BEST)]
            one = setting.compare([*chosen, *peers()[0]], recorded, objective, TRAINED, setting.slow_repeats)
            found.append((device, share, one))
    return found


def markdown_table(top: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(top)} |", "|---" * len(top) + "|", *(f"| {' | '.join(row)} |" for row in body)]
    return "\n".join(lines) + "\n"


def budget_rows(found: Sequence[tuple[str, float, StrategyComparison]]) -> list[list[str]]:
    """Of each budget the mean regret after 50 networks, the least one in bold; at last the mean of all."""
    lines, totals = [], []
    for device, share, comparison in found:
        regrets = [comparison.optimum - float(np.mean(one.best[:, -1])) for one in comparison.entries]
        totals.append(regrets)
        bound = comparison.objective.constraints[0].bound
        lines.append([device, f"{share:.0%}", f"{bound:.3g}", f"{comparison.optimum:.2f}", *_marked(regrets)])
    lines.append(["all", "", "", "", *_marked(np.mean(totals, axis=0).tolist())])
    return lines


def _marked(regrets: Sequence[float]) -> list[str]:
    least = min(regrets)
    return [f"**{one:.3f}**" if one == least else f"{one:.3f}" for one in regrets]


def published_rows(comparison: StrategyComparison) -> list[list[str]]:
    """The published rows, and ours of the same method after 100 networks (10 and 100 for random draws)."""
    entries = {entry.label: entry for entry in comparison.entries}
    ours = {
        "REA": (REA, 100),
        "random search": ("random", 100),
        "REINFORCE": ("reinforce", 100),
        "best of 10 random": ("random", 10),
        "best of 100 random": ("random", 100),
    }
    lines = []
    with PUBLISHED.open() as file:
        for row in csv.DictReader(file):
            label, networks = ours.get(row["method"], ("", 0))
            stated = [
                f"{row[f'{kind}_mean']} ± {row[f'{kind}_std']}" if row[f"{kind}_mean"] else ""
                for kind in ("validation", "test")
            ]
            mine = ""
            if label in entries:
                values = entries[label].best[:, networks - 1]
                mine = f"{values.mean():.2f} ± {values.std():.2f} after {networks}"
            lines.append([row["method"], row["budget"], *stated, mine])
    return lines


def goals(free: StrategyComparison, of_100: StrategyComparison) -> str:
    """What the best reaches after 30 and 100 trained networks."""
    (one,), goal = of_100.entries, target(free)
    return (
        f"{one.label}, {len(one.best)} searches of 100 networks: the median is {number(goal.value)}, what "
        f"{goal.label} has after {free.queries}, after {one.queries_to(goal.value)} trained networks; the "
        f"optimum is found within 30 by {one.found(free.optimum, 30):.1%}, within 100 by "
        f"{one.found(free.optimum, 100):.1%} of the searches."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with nasbench201/")
    parser.add_argument("--repeats", type=int, default=500)
    parser.add_argument("--slow-repeats", type=int, default=50)
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    with process_pool(given.jobs) as executor:
        setting = Setting(given.data, given.repeats, given.slow_repeats, executor)
        proxies = counted(PROXIES)
        free, of_100 = unbounded(setting, proxies)
        bounded = budgets(setting, proxies)
    violations = sum(entry.violations for _, _, one in bounded for entry in one.entries)
    labels = [entry.label for entry in bounded[0][2].entries]
    slow = [entry.label for entry in free.entries if len(entry.best) < given.repeats]
    text = HEAD.format(
        repeats=given.repeats,
        slow_repeats=given.slow_repeats,
        slow=", ".join(slow),
        task=task(free),
        headline=headline(free),
        legend=legend(free),
        goals=goals(free, of_100),
    )
    text += "\n" + markdown_table(heads(free), rows(free))
    text += "\n" + "".join(f"* {line}\n" for line in remarks(free))
    text += BUDGETS.format(repeats=given.slow_repeats, trained=TRAINED, violations=violations)
    text += "\n" + markdown_table(["device", "keep it", "ms", "optimum", *labels], budget_rows(bounded))
    text += PUBLISHED_HEAD + markdown_table(
        ["method", "budget", "published validation", "published test", "ours, test"], published_rows(free)
    )
    DOCS.mkdir(exist_ok=True)
    (DOCS / "strategies_nasbench201.md").write_text(text)
    write_png(free, DOCS / "strategies_nasbench201.png")
    print(text)


HEAD = """# The strategies on NAS-Bench-201, CIFAR-10

Written by `python -m benchmarks.strategies --data FOLDER --slow-repeats {slow_repeats}`; the same for
tables of your own: `hwnas benchmark --help`. Truth: test accuracy after 200 epochs, mean of the
benchmark's seeds. Every strategy searches the same recorded results with its default settings, one proposal
under way at a time, {repeats} times with seeds from 0; those that take longer {slow_repeats} times: {slow}.

A network that is trained counts once, and one that breaks a bound is not trained. Proxies and latencies cost
nothing. `+ live_params`: with the number of parameters, without those of dead layers, as the proxy. The
population of the other libraries' NSGA-II is 20: their defaults of 50 and 100 are large for so few networks.
The other libraries have no use for a proxy: compare them with the strategies without one, too. The surrogate
models of bananas, bayesian and brp_nas were chosen by what they reach on these very accuracies (without a
budget): expect less elsewhere.

{task}.

**{headline}.**

{goals}

![Best accuracy against trained networks](strategies_nasbench201.png)

In the table, {legend}.
"""

BUDGETS = """
## Under latency budgets

Mean regret after {trained} trained networks, of {repeats} searches: the best accuracy within the budget less
that found. Latencies of HELP's devices; the budgets are those that 10, 25, 50 and 75 % of the architectures
keep. Answers over the budget, of all strategies together: {violations}.
"""

PUBLISHED_HEAD = """
## Published rows

What differs: the published searches choose by the validation accuracy after 12 epochs, with its noise, until
12,000 simulated seconds are over, and report the chosen network's accuracies, mean of 500 runs. The data at
hand has neither that validation accuracy nor training times; ours choose by the test accuracy itself and stop
after so many networks. That is why the best of 10 and of 100 random networks agree, and why evolution, which
profits from a truth without noise, is above its row. BOHB and NASWOT need what is not recorded here (partial
trainings, scores of all cells).

"""

if __name__ == "__main__":
    main()
