"""One-shot accuracy: does it rank architectures as full trainings do, and what does a step cost?

`python -m benchmarks.oneshot --data FOLDER` trains a small supernet of NAS-Bench-201 on CIFAR-10 in small
(`FOLDER/cifar10`), evaluates random architectures with the weights that they inherit, and prints the rank
correlation (Spearman's rho) with their recorded accuracies (`FOLDER/nasbench201/cifar10_accuracy.csv`). Then
it prints what a step of the largest architecture costs in a supernet, as a multiple of what it costs alone.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.stats import spearmanr
from torch import Tensor, nn

from hwnas.differentiable.oneshot.elastic import ElasticSupernet
from hwnas.differentiable.oneshot.evaluation import calibration_images, oneshot_accuracy
from hwnas.differentiable.oneshot.learner import one_network
from hwnas.differentiable.oneshot.settings import OneShotSettings
from hwnas.differentiable.oneshot.training import train_oneshot
from hwnas.differentiable.supernet.module import Supernet
from hwnas.network.to_torch import to_torch
from hwnas.spaces import NASBench201, ProxylessNAS
from hwnas.threads import one_torch_thread
from hwnas.training import TrainingSettings, load
from hwnas.training.batches import prepared

SIDE, VALIDATION, CALIBRATION = 16, 1000, 512
REPEATS = 15


def main(arguments: Sequence[str] | None = None) -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of both data sets")
    parser.add_argument("--architectures", type=int, default=80, help="random ones")
    parser.add_argument("--images", type=int, default=16000, help="train images, a fifth for validation")
    parser.add_argument("--epochs", type=int, default=22, help="of the supernet")
    parser.add_argument("--channels", type=int, default=8, help="of the supernet's first stage")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    options = parser.parse_args(arguments)
    console = Console()
    with one_torch_thread():
        console.print(_ranks(options))
        console.print(_steps())


def _ranks(options: argparse.Namespace) -> Table:
    with (options.data / "nasbench201" / "cifar10_accuracy.csv").open() as file:
        recorded = {row["arch"]: float(row["test_accuracy"]) for row in csv.DictReader(file)}
    data = load(str(options.data / "cifar10"), SIDE, options.images).for_selection()
    data = replace(data, test_images=data.test_images[:VALIDATION], test_labels=data.test_labels[:VALIDATION])
    space = NASBench201(channels=options.channels, cells=1, resolution=SIDE)
    settings = OneShotSettings(TrainingSettings(epochs=options.epochs, batch_size=64, lr=0.1))
    started = time.perf_counter()
    supernet = train_oneshot(space, data, settings, device=options.device).supernet
    seconds = time.perf_counter() - started
    calibration = calibration_images(data, CALIBRATION, seed=0)
    chosen = space.sample(options.architectures, seed=0)
    found = np.array([oneshot_accuracy(supernet, one, data, calibration, options.device) for one in chosen])
    true = np.array([recorded[str(one)] for one in chosen])
    upper = true >= np.median(true)
    table = Table("supernet of nasbench201, single paths", "")
    table.add_row("training", f"{seconds:.0f} s on {options.device}")
    table.add_row("architectures", str(len(chosen)))
    table.add_row("inherited accuracies", f"{found.min():.2f} to {found.max():.2f}")
    table.add_row("Spearman's rho", f"{spearmanr(found, true).statistic:.2f}")
    table.add_row("  of the more accurate half", f"{spearmanr(found[upper], true[upper]).statistic:.2f}")
    table.add_row("recorded accuracy of the first ten", f"{true[np.argsort(-found)[:10]].mean():.2f} %")
    table.add_row("  of all", f"{true.mean():.2f} %")
    return table


def _steps() -> Table:
    """CPU time, which other processes hardly change, of forward and backward passes."""
    space = ProxylessNAS(resolutions=(32,), width=0.5, classes=10)
    supernetwork = space.supernetwork()
    largest = supernetwork.cheapest(lambda network: -sum(one.size for one in network.parameters.values()))
    path = one_network(supernetwork, supernetwork.choices(largest))
    data = load("digits", 32, 100)
    x = prepared(data, data.train_images[:64])
    supernets = {"supernet": Supernet(supernetwork), "elastic supernet": ElasticSupernet(supernetwork)}
    alone = to_torch(largest.network)
    modules: dict[str, tuple[nn.Module, Callable[[], Tensor]]] = {"alone": (alone, lambda: alone(x))}
    for name, supernet in supernets.items():
        modules[name] = supernet, lambda supernet=supernet: supernet(x, path)
    seconds: dict[str, list[float]] = {name: [] for name in modules}
    for _ in range(REPEATS):
        for name, (module, forward) in modules.items():
            module.zero_grad()
            started = time.process_time()
            forward().square().mean().backward()
            seconds[name].append(time.process_time() - started)
    table = Table("step of the largest architecture", "ms of CPU time", "of alone")
    for name, values in seconds.items():
        ratio = median(values) / median(seconds["alone"])
        table.add_row(name, f"{1000 * median(values):.0f}", f"{ratio:.2f}")
    return table


if __name__ == "__main__":
    main()
