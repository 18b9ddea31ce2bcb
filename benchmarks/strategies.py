"""All strategies on NAS-Bench-201, without and with proxies and latency budgets, beside other libraries.

    python -m benchmarks.strategies --data ../shared/data --scores benchmarks/nasbench201_naswot.parquet

writes `docs/strategies_nasbench201.md` and `docs/strategies_nasbench201.png`. Each search is kept in `--kept`
once it is done: repeat the command after a stop, or do parts of it elsewhere by `--only`, and join the files.

The scores are those of 32 images of CIFAR-10 (the paper takes 128), an hour of a core:

    hwnas score --space nasbench201 --all --proxies naswot --data ../shared/data/cifar10 --batch 32 \\
        --out benchmarks/nasbench201_naswot.parquet
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.strategies_page import Budgets, write_page
from benchmarks.strategies_predicted import predicted
from benchmarks.strategies_published import published
from benchmarks.strategies_setting import BEST, BOHB, DEVICES, PROXIES, REA, SHARES, TRAINED, Setting
from hwnas.executors import process_pool
from hwnas.objectives import Constraint, Objective
from hwnas.search.comparison import Contestant, SearchJournal, StrategyComparison, contestants, named, peers

QUERIES = 300
OF_BEST = 100
BUDGETED = ("random", REA, "local_search", "nsga2", "bananas", "bayesian", "brp_nas")
SLOW = ("ppo", "bananas", "bayesian", "bohb", "brp_nas")


def everybody(setting: Setting, proxies: Sequence[str] = PROXIES) -> list[Contestant]:
    """All that take part without a budget; BOHB with whole trainings alone, too."""
    own = contestants([*named("all"), BOHB], proxies, score=setting.score)
    return [*own, *peers()[0]]


def is_slow(one: Contestant) -> bool:
    return one.is_peer or one.strategy in SLOW


def fast(setting: Setting) -> StrategyComparison:
    """The fast ones without a budget, and with NASWOT's scores as a proxy, too, where they are there."""
    proxies = [*PROXIES, *(["naswot"] if setting.naswot_file else [])]
    chosen = [one for one in everybody(setting, proxies) if not is_slow(one)]
    return setting.compare(chosen, setting.seen(), Objective("accuracy"), QUERIES, setting.repeats)


def best(setting: Setting) -> StrategyComparison:
    """The best, with fewer networks, as often as the fast ones."""
    chosen = [one for one in everybody(setting) if one.label == BEST]
    return setting.compare(chosen, setting.seen(), Objective("accuracy"), OF_BEST, setting.repeats)


def slow(setting: Setting) -> StrategyComparison:
    """The slow ones without a budget, less often."""
    chosen = [one for one in everybody(setting) if is_slow(one)]
    return setting.compare(chosen, setting.seen(), Objective("accuracy"), QUERIES, setting.slow_repeats)


def budgets(setting: Setting) -> Budgets:
    """The comparison for each device and each share of the architectures that keep the budget."""
    found = []
    own = contestants(BUDGETED, PROXIES, score=setting.score)
    chosen = [one for one in own if one.label in (*BUDGETED, BEST)]
    for device in DEVICES:
        recorded = setting.seen(setting.latency_ms(device))
        for share in SHARES:
            objective = Objective("accuracy", (Constraint("latency_ms", setting.budget_ms(device, share)),))
            print(f"{device}, {share:.0%}", flush=True)
            one = setting.compare(
                [*chosen, *peers()[0]], recorded, objective, TRAINED, setting.budget_repeats
            )
            found.append((device, share, one))
    return found


PARTS: dict[str, Callable[[Setting], Any]] = {
    "fast": fast,
    "best": best,
    "slow": slow,
    "budgets": budgets,
    "predicted": predicted,
    "published": published,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with nasbench201/")
    parser.add_argument("--scores", type=Path, help="NASWOT's scores of all cells, from hwnas score")
    parser.add_argument("--repeats", type=int, default=500)
    parser.add_argument("--slow-repeats", type=int, default=100)
    parser.add_argument("--budget-repeats", type=int, default=50, help="under each of 24 budgets")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--kept", type=Path, default=Path("runs/strategies.jsonl"), help="searches done")
    parser.add_argument(
        "--only", nargs="+", choices=PARTS, default=list(PARTS), help="these parts, and no page"
    )
    given = parser.parse_args()
    with process_pool(given.jobs) as executor:
        journal = SearchJournal(given.kept)
        repeats = (given.repeats, given.slow_repeats, given.budget_repeats)
        setting = Setting(given.data, given.scores, *repeats, executor, journal)
        done = {name: part(setting) for name, part in PARTS.items() if name in given.only}
    if len(done) < len(PARTS):
        return
    joined = replace(
        done["fast"],
        entries=[*done["fast"].entries, *done["slow"].entries],
        left_out={**done["fast"].left_out, **done["slow"].left_out},
    )
    print(write_page(joined, done["best"], done["budgets"], done["predicted"], done["published"]))


if __name__ == "__main__":
    main()
