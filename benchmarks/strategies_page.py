"""The page of the strategies on NAS-Bench-201: tables and figure from the comparisons."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.markdown import markdown_table
from benchmarks.strategies_predicted import DEVICES, FITS, Judged, predicted_rows
from benchmarks.strategies_published import NETWORKS, NOISE, Row, published_rows
from benchmarks.strategies_setting import BEST, TRAINED, mean_and_error
from hwnas.report.comparison_png import write_png
from hwnas.report.comparison_text import (
    ENOUGH,
    checkpoints,
    headline,
    heads,
    legend,
    number,
    ranked,
    remarks,
    rows,
    target,
    task,
)
from hwnas.search.comparison import Entry, StrategyComparison

DOCS = Path("docs")

Budgets = Sequence[tuple[str, float, StrategyComparison]]
Floats = npt.NDArray[np.float64]


def write_page(
    free: StrategyComparison,
    of_best: StrategyComparison,
    bounded: Budgets,
    predicted: list[Judged],
    published: list[Row],
) -> str:
    """Write the page and its figure into docs; the page's text is returned."""
    text = HEAD.format(
        task=task(free),
        headline=headline(free),
        legend=legend(free),
        goals=goals(free, of_best),
        enough=ENOUGH,
    )
    text += "\n" + markdown_table(heads(free), rows_with_errors(free))
    text += "\n" + "".join(f"* {line}\n" for line in remarks(free))
    labels = [entry.label for entry in bounded[0][2].entries]
    text += BUDGETS.format(repeats=bounded[0][2].repeats, trained=bounded[0][2].queries, wins=wins(bounded))
    text += "\n" + markdown_table(["device", "keep it", "ms", "optimum", *labels], budget_rows(bounded))
    text += PREDICTED.format(fits=FITS, devices=" or ".join(DEVICES), best=BEST, trained=TRAINED)
    text += "\n" + markdown_table(PREDICTED_HEADS, predicted_rows(predicted))
    text += PUBLISHED.format(trained=NETWORKS, noise=NOISE)
    text += "\n" + markdown_table(PUBLISHED_HEADS, published_rows(published))
    DOCS.mkdir(exist_ok=True)
    (DOCS / "strategies_nasbench201.md").write_text(text)
    write_png(free, DOCS / "strategies_nasbench201.png")
    return text


def rows_with_errors(free: StrategyComparison) -> list[list[str]]:
    """The comparison's rows, each median with its standard error."""
    marks = checkpoints(free)
    return [
        [row[0], *(_median(entry, n) for n in marks), *row[1 + len(marks) :]]
        for entry, row in zip(ranked(free), rows(free), strict=True)
    ]


def _median(entry: Entry, queries: int) -> str:
    median, error = number(float(entry.quantile(0.5)[queries - 1])), entry.median_error(queries)
    return median if math.isnan(error) else f"{median} ± {error:.3f}"


def regrets(comparison: StrategyComparison) -> dict[str, Floats]:
    """`[repeats]` by label: the optimum less what was found in the end."""
    return {one.label: comparison.optimum - one.best[:, -1] for one in comparison.entries}


def budget_rows(found: Budgets) -> list[list[str]]:
    """Of each budget the mean regrets, the least in bold; of all; and how often each beats all peers."""
    lines = []
    for device, share, comparison in found:
        bound = comparison.objective.constraints[0].bound
        means = [float(one.mean()) for one in regrets(comparison).values()]
        lines.append([device, f"{share:.0%}", f"{bound:.3g}", f"{comparison.optimum:.2f}", *_marked(means)])
    labels = [entry.label for entry in found[0][2].entries]
    every = {label: np.concatenate([regrets(one)[label] for _, _, one in found]) for label in labels}
    cells = [f"{mean:.3f} ± {error:.3f}" for mean, error in map(mean_and_error, every.values())]
    counts = [str(beaten(found, label)) for label in labels]
    return [
        *lines,
        ["all", "", "", "", *cells],
        [f"below every other library, of {len(found)}", "", "", "", *counts],
    ]


def _marked(means: Sequence[float]) -> list[str]:
    least = min(means)
    return [f"**{one:.3f}**" if one == least else f"{one:.3f}" for one in means]


def beaten(found: Budgets, label: str) -> int:
    """In how many budgets the mean regret of an entry is below that of every other library's sampler."""
    count = 0
    for _, _, comparison in found:
        means = {name: one.mean() for name, one in regrets(comparison).items()}
        peers = [means[one.label] for one in comparison.entries if one.is_peer and one.label != label]
        count += all(means[label] < peer for peer in peers)
    return count


def wins(found: Budgets) -> str:
    """Who is below every peer in how many budgets: the best with a proxy and the best without."""
    own = [entry.label for entry in found[0][2].entries if not entry.is_peer]
    best = {
        proxied: max((one for one in own if (" + " in one) == proxied), key=lambda one: beaten(found, one))
        for proxied in (True, False)
    }
    return (
        f"{best[True]} is below every peer in {beaten(found, best[True])} of {len(found)} budgets; without a "
        f"proxy, as the peers are, {best[False]} is in {beaten(found, best[False])} of {len(found)}"
    )


def goals(free: StrategyComparison, of_best: StrategyComparison) -> str:
    """What the best reaches after 30 and 100 trained networks."""
    (one,), goal = of_best.entries, target(free)
    return (
        f"{one.label}, {len(one.best)} searches of {of_best.queries} networks: the median is "
        f"{number(goal.value)}, what {goal.label} has after {free.queries}, after "
        f"{one.queries_to(goal.value)} trained networks; the optimum is found within 30 by "
        f"{one.found(free.optimum, 30):.1%}, within {of_best.queries} by "
        f"{one.found(free.optimum, of_best.queries):.1%} of the searches."
    )


HEAD = """# The strategies on NAS-Bench-201, CIFAR-10

Written by `python -m benchmarks.strategies --data FOLDER --scores FILE`; the same for tables of your own:
`hwnas benchmark --help`. Truth: test accuracy after 200 epochs, mean of the benchmark's seeds. Every strategy
searches the same recorded results with its default settings, one proposal under way at a time, as often as
its row says, with seeds from 0. The headline names only who searched at least {enough} times.

What counts is a network with a new value, as in `hwnas search`: one that is asked for again counts nothing,
one that breaks a bound is not trained. Proxies and latencies cost nothing. `+ live_params`: with the number
of parameters, without those of dead layers, as the proxy. The population of the other libraries' NSGA-II is
20: their defaults of 50 and 100 are large for so few networks. The other libraries have no use for a proxy:
compare them with the strategies without one, too. The surrogate models of bananas, bayesian and brp_nas were
chosen by what they reach on these very accuracies (without a budget): expect less elsewhere.

{task}.

**{headline}.**

{goals}

![Best accuracy against trained networks](strategies_nasbench201.png)

In the table, {legend}. Behind each median stands its standard error, from 1000 bootstrap samples of the
searches.
"""

BUDGETS = """
## Under latency budgets

Mean regret after {trained} trained networks, of {repeats} searches: the best accuracy within the budget less
that found. Latencies of HELP's devices; the budgets are those that 10, 25, 50 and 75 % of the architectures
keep. The latencies are the recorded ones, which all strategies see before they train, so that no answer can
be over its budget; see below for latencies that are predicted.

**{wins}.**
"""

PREDICTED = """
## Under latency budgets, by predicted latencies

What a person has who measured 20 networks of a device ({devices}) and fitted a predictor on them: {best}
sees what that predicts and trains {trained} networks, and its answer is judged by the recorded latency.
{fits} fits on different networks share the searches. The 90 % bound is what a latency stays below with that
probability, by the predictor's own calibration. Nothing is measured in between: `hwnas search` verifies its
answers by measurements, which `python -m benchmarks.budgets` shows. Regret is the mean of the answers that
keep the budget.
"""
PREDICTED_HEADS = [
    "device", "keep it", "by", "searches", "violations", "over by", "no answer", "regret",
]  # fmt: skip

PUBLISHED = """
## Published rows

The published searches choose by the validation accuracy after 12 epochs, from one seed, until 12,000
simulated seconds are over, and report the test accuracy of their choice, mean of 500 runs. The data at hand
has neither that accuracy nor times, so ours stop after an equal number of networks, {trained}: 12 epochs of
the benchmark's architecture 284 take 117 s (issue 4 of D-X-Y/NATS-Bench), and 12,000 s are 103 of these. They
choose by the test accuracy itself, which is never misled; and by the test accuracy with normal noise of
{noise} points, the width with which random search gives its published row, so that the others follow without
anything to choose. *Within*: our mean is within the published standard deviation of the published mean. In
brackets: our searches. BOHB trains whole networks only, as no partial trainings are recorded. NASWOT's
scores, where given, are of one initialisation and one batch for all runs, the published ones of new ones for
each run.
"""
PUBLISHED_HEADS = [
    "method", "published budget", "published test", "networks, ours", "ours, by the truth", "within",
    "ours, with noise", "within",
]  # fmt: skip
