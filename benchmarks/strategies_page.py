"""The page of the strategies on NAS-Bench-201: tables and figure from the comparisons."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from hwnas.report.comparison_png import write_png
from hwnas.report.comparison_text import headline, heads, legend, number, remarks, rows, target, task
from hwnas.search.comparison import StrategyComparison

DOCS = Path("docs")
PUBLISHED = Path("tests/reference/nasbench201_strategies.csv")
REA = "evolution:population=10,tournament=3"
OURS = {
    "REA": (REA, 100),
    "random search": ("random", 100),
    "REINFORCE": ("reinforce", 100),
    "AREA": ("area", 100),
    "NASWOT (N=10)": ("naswot:samples=10", 1),
    "NASWOT (N=100)": ("naswot:samples=100", 1),
    "NASWOT (N=1000)": ("naswot", 1),
    "best of 10 random": ("random", 10),
    "best of 100 random": ("random", 100),
}
"""Published methods: ours of the same, and after how many trained networks."""

Budgets = Sequence[tuple[str, float, StrategyComparison]]


def write_page(free: StrategyComparison, of_100: StrategyComparison, bounded: Budgets) -> str:
    """Write the page and its figure into docs; the page's text is returned."""
    repeats = max(len(entry.best) for entry in free.entries)
    slow = {entry.label: len(entry.best) for entry in free.entries if len(entry.best) < repeats}
    violations = sum(entry.violations for _, _, one in bounded for entry in one.entries)
    labels = [entry.label for entry in bounded[0][2].entries]
    text = HEAD.format(
        repeats=repeats,
        slow_repeats=min(slow.values(), default=repeats),
        slow=", ".join(slow),
        task=task(free),
        headline=headline(free),
        legend=legend(free),
        goals=goals(free, of_100),
    )
    text += "\n" + markdown_table(heads(free), rows(free))
    text += "\n" + "".join(f"* {line}\n" for line in remarks(free))
    text += BUDGETS.format(
        repeats=bounded[0][2].repeats, trained=bounded[0][2].queries, violations=violations
    )
    text += "\n" + markdown_table(["device", "keep it", "ms", "optimum", *labels], budget_rows(bounded))
    text += PUBLISHED_HEAD + markdown_table(
        ["method", "budget", "published validation", "published test", "ours, test"], published_rows(free)
    )
    DOCS.mkdir(exist_ok=True)
    (DOCS / "strategies_nasbench201.md").write_text(text)
    write_png(free, DOCS / "strategies_nasbench201.png")
    return text


def markdown_table(top: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(top)} |", "|---" * len(top) + "|", *(f"| {' | '.join(row)} |" for row in body)]
    return "\n".join(lines) + "\n"


def budget_rows(found: Budgets) -> list[list[str]]:
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
    """The published rows, and ours of the same method."""
    entries = {entry.label: entry for entry in comparison.entries}
    lines = []
    with PUBLISHED.open() as file:
        for row in csv.DictReader(file):
            label, networks = OURS.get(row["method"], ("", 0))
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
profits from a truth without noise, is above its row. BOHB needs what is not recorded here, partial trainings.
AREA and NASWOT need scores of all cells, given as `--scores FILE` and made by `hwnas score --space
nasbench201 --all --proxies naswot --data CIFAR10 --batch 128 --out FILE`; ours are of one initialisation and
one batch for all runs, the published ones of new ones for each run.

"""
