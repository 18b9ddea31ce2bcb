"""A whole search on images: `python -m benchmarks.real_search --data PATH --folder runs/cifar10`.

Measures a latency table of this machine's CPU, fits a predictor, searches MobileNetV2 with hyperband under a
latency budget, trains and times the candidates, and writes the page and its figure into docs.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt

from hwnas.search.fidelity import at_fidelity
from hwnas.search.records import RunRecord
from hwnas.search.run import Run, load

DOCS = Path("docs")
NAME = "cifar10_search"
SPACE = "mobilenetv2:resolution=32,classes=10,width={width},small_input=True"
METRIC = "reduced_accuracy:epochs={epochs},channels=0.5,resolution=0.5,limit={images},device={device}"


def arguments() -> argparse.Namespace:
    """What the user asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", required=True, help="data set, as hwnas train takes it")
    parser.add_argument("--folder", type=Path, required=True, help="of table, predictor and run")
    parser.add_argument("--cuda", action="store_true", help="train on the GPU, latency is still the CPU's")
    parser.add_argument("--width", type=float, default=0.25, help="of the space's channels")
    parser.add_argument("--budget-ms", type=float, default=0.35, help="bound of the latency")
    parser.add_argument("--trials", type=int, default=17)
    parser.add_argument("--epochs", type=int, default=9, help="of the longest reduced training")
    parser.add_argument("--images", type=int, default=2000, help="limit of the reduced trainings")
    parser.add_argument("--train-epochs", type=int, default=1, help="of the candidates, on all images")
    parser.add_argument("--candidates", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    return parser.parse_args()


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
            *("--strategy", "hyperband", "--budget", str(given.trials), "--data", given.data),
            *("--predictor", predictor, "--subject-to", f"latency_ms <= {given.budget_ms}ms"),
            *("--train-epochs", str(given.train_epochs), "--candidates", str(given.candidates)),
            *("--jobs", str(given.jobs)),
        ],
    ]


def page(run: Run, chain: Sequence[Sequence[str]]) -> str:
    """The page: the commands, the verified candidates, the figure."""
    record = run.record
    lines = [" ".join(("hwnas", *(f"'{word}'" if " " in word else word for word in one))) for one in chain]
    names = sorted({name for one in record.candidates for name in (*one.predicted, *one.measured)})
    table = "".join(
        f"| {name} | "
        + " | ".join(
            f"{one.predicted.get(name, '')} | {one.measured.get(name, '')}" for one in record.candidates
        )
        + " |\n"
        for name in names
    )
    heads = " | ".join(f"{n}: searched | {n}: verified" for n in range(1, len(record.candidates) + 1))
    rule = "|---" * (1 + 2 * len(record.candidates)) + "|"
    answer = (
        "No candidate keeps the bound by measurement."
        if record.winner is None
        else f"The answer: `{record.candidates[record.winner].architecture}`."
    )
    full = sum(trial.fidelity == 1 and trial.status == "complete" for trial in record.trials)
    code = "\n".join(lines)
    return (
        f"# A search on images\n\nWritten by `python -m benchmarks.real_search`. "
        f"Trials: {len(record.trials)}, {full} of them complete after the whole reduced training.\n\n"
        f"```\n{code}\n```\n\n"
        f"{answer}\n\n| metric | {heads} |\n{rule}\n{table}\n![trials]({NAME}.png)\n"
    )


def figure(record: RunRecord, path: Path) -> None:
    """Reduced accuracy over predicted latency of all complete trials, the bound, and the answer."""
    fig, axes = plt.subplots(figsize=(6.4, 4))
    for share in sorted({trial.fidelity for trial in record.trials}):
        name = at_fidelity(record.maximize, share)
        shown = [t.metrics for t in record.trials if t.fidelity == share and name in t.metrics]
        axes.scatter(
            [one["latency_ms"] for one in shown],
            [one[name] for one in shown],
            alpha=0.3 + 0.6 * share,
            label=f"after {share:.3g} of the reduced training",
        )
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


def main() -> None:
    """Run the chain and write the page."""
    given = arguments()
    chain = commands(given)
    for command in chain:
        subprocess.run([str(Path(sys.executable).with_name("hwnas")), *command], check=True)
    run = load(given.folder / "run")
    (DOCS / f"{NAME}.md").write_text(page(run, chain))
    figure(run.record, DOCS / f"{NAME}.png")


if __name__ == "__main__":
    main()
