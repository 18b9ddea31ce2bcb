"""A whole search on images: `python -m benchmarks.real_search --data PATH --folder runs/cifar10`.

Measures a latency table of this machine's CPU, fits a predictor, searches MobileNetV2 with hyperband under a
latency budget, trains and times the candidates, and writes the page and its figure into docs.
"""

import argparse
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from hwnas.report.front import pareto_front
from hwnas.report.intervals import drift_warning
from hwnas.search.fidelity import at_fidelity
from hwnas.search.records import Candidate, RunRecord, Trial
from hwnas.search.run import load

NAME = "cifar10_search"
SPACE = "mobilenetv2:resolution=32,classes=10,width={width},small_input=True"
METRIC = "reduced_accuracy:epochs={epochs},channels=1,resolution=0.5,limit={images},device={device}"


def arguments(words: Sequence[str] | None) -> argparse.Namespace:
    """What the user asked for, in `words` or on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", required=True, help="data set, as hwnas train takes it")
    parser.add_argument("--folder", type=Path, required=True, help="of table, predictor and run")
    parser.add_argument("--cuda", action="store_true", help="train on the GPU, latency is still the CPU's")
    parser.add_argument("--width", type=float, default=0.25, help="of the space's channels")
    parser.add_argument("--budget-ms", type=float, default=0.35, help="bound of the latency")
    parser.add_argument("--trainings", type=int, default=17, help="budget of the search, in full trainings")
    parser.add_argument("--epochs", type=int, default=9, help="of the longest reduced training")
    parser.add_argument("--images", type=int, default=2000, help="limit of the reduced trainings")
    parser.add_argument("--train-epochs", type=int, default=1, help="of the candidates, on all images")
    parser.add_argument("--candidates", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--docs", type=Path, default=Path("docs"), help="folder of the page")
    return parser.parse_args(words)


def commands(given: argparse.Namespace) -> list[list[str]]:
    """The three commands of the chain, without the program's name."""
    folder = given.folder
    table, predictor = str(folder / "table"), str(folder / "predictor")
    space = SPACE.format(width=given.width)
    metric = METRIC.format(epochs=given.epochs, images=given.images, device="cuda" if given.cuda else "cpu")
    return [
        ["measure", "--space", space, "--samples", "10", "--quick", "--out", table],
        ["fit", table, "--space", space, "--out", predictor],
        [
            *("search", "--space", space, "--run", str(folder / "run"), "--maximize", metric),
            *("--strategy", "hyperband", "--budget", str(given.trainings), "--data", given.data),
            *("--predictor", predictor, "--subject-to", f"latency_ms <= {given.budget_ms}ms"),
            *("--train-epochs", str(given.train_epochs), "--candidates", str(given.candidates)),
            *("--jobs", str(given.jobs)),
        ],
    ]


SIZES = ("width", "budget_ms", "trainings", "epochs", "images", "train_epochs", "candidates", "jobs")


def call(given: argparse.Namespace) -> str:
    """The command that writes the page."""
    sizes = " ".join(f"--{name.replace('_', '-')} {getattr(given, name)}" for name in SIZES)
    return f"python -m benchmarks.real_search --data PATH --folder {given.folder} {sizes}"


def page(record: RunRecord, written_by: str, chain: Sequence[Sequence[str]]) -> str:
    """The page: the commands, what was trained, the verified candidates, the figure."""
    code = "\n".join(shlex.join(("hwnas", *command)) for command in chain)
    parts = [
        "# A search on images",
        f"Written by `{written_by}`, which runs",
        f"```\n{code}\n```",
        trained(record.trials),
        answer(record),
        candidates(record.candidates),
        drift_warning(record.candidates),
        f"![trials]({NAME}.png)\n",
    ]
    return "\n\n".join(part for part in parts if part)


def trained(trials: Sequence[Trial]) -> str:
    """How many networks were trained for how long, in one line."""
    done = Counter(trial.fidelity for trial in trials if trial.status == "complete")
    rungs = ", ".join(f"{count} for {share:.3g}" for share, count in sorted(done.items()))
    minutes = sum(trial.seconds for trial in trials) / 60
    return f"Trainings by their part of the full one: {rungs}; together {minutes:.0f} minutes."


def answer(record: RunRecord) -> str:
    """The network found, in one line."""
    if record.winner is None:
        return "No candidate keeps the bound by measurement."
    return f"The answer: `{record.candidates[record.winner].architecture}`."


def candidates(found: Sequence[Candidate]) -> str:
    """A table of each candidate's metrics as they were searched by, and as verified."""
    numbers = range(1, len(found) + 1)
    known = [(one.predicted, _verified(one)) for one in found]
    names = sorted({name for both in known for values in both for name in values})
    rows = [
        ["metric", *(f"{number}: {kind}" for number in numbers for kind in ("searched", "verified"))],
        ["---"] * (1 + 2 * len(found)),
        *([name, *(_number(values, name) for both in known for values in both)] for name in names),
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _verified(one: Candidate) -> Mapping[str, float]:
    """What was measured, with the least favourable reading of the latency."""
    return one.measured if one.at_most_ms is None else {**one.measured, "latency_ms at most": one.at_most_ms}


def _number(values: Mapping[str, float], name: str) -> str:
    return f"{values[name]:.3g}" if name in values else ""


def figure(record: RunRecord, path: Path) -> None:
    """Reduced accuracy over predicted latency of all trials, the front of the full trainings, the answer."""
    fig, axes = plt.subplots(figsize=(6.4, 4))
    for share in sorted({trial.fidelity for trial in record.trials}):
        name = at_fidelity(record.maximize, share)
        shown = [t.metrics for t in record.trials if t.fidelity == share and name in t.metrics]
        latencies, accuracies = (np.array([one[key] for one in shown]) for key in ("latency_ms", name))
        axes.scatter(
            latencies,
            accuracies,
            alpha=0.3 + 0.6 * share,
            label=f"after {share:.3g} of the reduced training",
        )
        if share == 1:
            front = pareto_front(latencies, accuracies)
            axes.step(latencies[front], accuracies[front], where="post", color="green", label="Pareto front")
    axes.axvline(record.bounds["latency_ms"], color="black", linestyle="--", label="bound")
    if record.winner is not None:
        best = record.candidates[record.winner]
        axes.scatter(
            best.measured["latency_ms"],
            best.predicted[record.maximize],
            marker="*",
            s=160,
            color="crimson",
            label="answer, latency as measured",
        )
    axes.set_xlabel("latency in ms (trials: upper bound of the predictor)")
    axes.set_ylabel("validation accuracy, reduced training")
    axes.legend(fontsize="small", loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    fig.tight_layout()
    fig.savefig(path, dpi=120)


def main(words: Sequence[str] | None = None) -> None:
    """Run the chain and write the page."""
    given = arguments(words)
    chain = commands(given)
    for command in chain:
        subprocess.run([str(Path(sys.executable).with_name("hwnas")), *command], check=True)
    record = load(given.folder / "run").record
    shown = commands(argparse.Namespace(**{**vars(given), "data": Path(given.data).name}))
    (given.docs / f"{NAME}.md").write_text(page(record, call(given), shown))
    figure(record, given.docs / f"{NAME}.png")


if __name__ == "__main__":
    main()
