"""TE-NAS on NAS-Bench-201 at the size of its release: the true accuracy of what the pruning leaves.

    python -m benchmarks.tenas --data ../shared/data

prints the cell and its CIFAR-10 test accuracy for each seed, and their mean. The release has networks of 3
channels and a cell in each stage, batches of 72 images of CIFAR-10, and 3 initialisations; the paper's mean
is 93.9 ± 0.47 (table 2). A seed takes about fifteen minutes of a core; with `--batch 16` two.
"""

import argparse
import csv
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from hwnas.differentiable.pruning.search import PruningSettings, prune
from hwnas.spaces import NASBench201
from hwnas.training import load


def accuracies(folder: Path) -> dict[str, float]:
    """Test accuracy in percent by cell."""
    with (folder / "nasbench201" / "cifar10_accuracy.csv").open() as file:
        return {row["arch"]: float(row["test_accuracy"]) for row in csv.DictReader(file)}


def mean_accuracy(folder: Path, *, batch: int, repeats: int, seeds: int, say: Callable[[str], None]) -> float:
    """Mean test accuracy in percent of the cells that are left with each seed, which `say` is told."""
    known = accuracies(folder)
    data = load(folder / "cifar10", limit=5000)
    settings = PruningSettings(batch=batch, repeats=repeats)
    found = []
    for seed in range(seeds):
        started = time.perf_counter()
        with tempfile.TemporaryDirectory() as run:
            ended = prune(NASBench201(), data=data, folder=run, settings=settings, seed=seed)
        cell = str(ended.architecture)
        found.append(known[cell])
        say(f"seed {seed}: {known[cell]:.2f} % in {time.perf_counter() - started:.0f} s, `{cell}`")
    return statistics.mean(found)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with nasbench201/ and cifar10/")
    parser.add_argument("--batch", type=int, default=72)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    mean = mean_accuracy(
        given.data,
        batch=given.batch,
        repeats=given.repeats,
        seeds=given.seeds,
        say=lambda line: print(line, flush=True),
    )
    print(f"mean of {given.seeds} seeds: {mean:.2f} %")


if __name__ == "__main__":
    main()
