"""Searches by gradients at the size of a CPU: costs against targets, accuracies by a table, time of a step.

    python -m benchmarks.differentiable --data ../shared/data

prints a line for each search and a table of what was reached, and writes both to
`docs/differentiable_search.md`; with `--only step targets` it runs these parts, and writes no page. What is
done is kept in `--kept`, and not done again. `table` and `tenas` need CIFAR-10 and the accuracies. Run it on
a quiet machine: `step` is a measurement of time.
"""

import argparse
import inspect
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.markdown import markdown_table
from benchmarks.tenas import accuracies, mean_accuracy
from benchmarks.timing import Row
from hwnas.differentiable.bilevel import first_order
from hwnas.differentiable.costs.targets import costs
from hwnas.differentiable.guards import Guard
from hwnas.differentiable.search import DifferentiableRun, search
from hwnas.differentiable.supernet.module import Supernet
from hwnas.differentiable.supernet.parameters import initial_logits
from hwnas.differentiable.supernet.relaxations import softmax
from hwnas.differentiable.supernet.weights import CandidateWeights
from hwnas.freed_memory import freed_memory_kept
from hwnas.network.network import Network, Shape
from hwnas.network.to_torch import to_torch
from hwnas.objectives import Constraint
from hwnas.objectives.penalties import Lagrangian
from hwnas.spaces import FBNet, NASBench201, SearchSpace
from hwnas.threads import torch_threads
from hwnas.training import load

SMALL = NASBench201(channels=4, cells=1, resolution=16)
SHARES = (0.3, 0.45, 0.6, 0.75)
WEIGHTS = (0.01, 0.03, 0.1, 0.3)
SEEDS = range(3)
BATCH, ROUNDS = 32, 15
TENAS_BATCH = 72
PAGE = Path("docs/differentiable_search.md")
HEAD = """# Search by gradients and by pruning, at the size of a CPU

Written by `python -m benchmarks.differentiable --data FOLDER`.
"""

Say = Callable[[str], None]


def run(space: NASBench201, data: Any, **settings: Any) -> DifferentiableRun:
    with tempfile.TemporaryDirectory() as folder:
        return search(space, data=data, folder=folder, **settings)


def digits_search(**settings: Any) -> DifferentiableRun:
    data = load("digits", resolution=16, limit=1000)
    return run(SMALL, data, epochs=6, batch_size=32, guard=None, method="darts:rate=0.05", **settings)


def extremes() -> tuple[float, float]:
    supernetwork = SMALL.supernetwork()
    return costs(CandidateWeights(supernetwork), ["flops"])["flops"].extremes(supernetwork)


def weights(_: Path, say: Say) -> list[Row]:
    """Derived FLOPs as the weight of the ratio to the target rises."""
    least, greatest = extremes()
    found = []
    for weight in WEIGHTS:
        target = f"flops <= {(least + greatest) / 2}"
        searches = [
            digits_search(subject_to=[target], penalty=f"ratio:weight={weight}", seed=seed) for seed in SEEDS
        ]
        derived = [one.record.epochs[-1].derived_costs["flops"] for one in searches]
        expected = [one.record.epochs[-1].expected["flops"] for one in searches]
        found.append(statistics.mean(derived))
        say(f"λ = {weight:g}: derived {_millions(derived)}, expected {_millions(expected)}")
    falls = sorted(found, reverse=True) == found and found[0] > found[-1]
    return [
        Row(
            f"derived FLOPs for λ of {', '.join(map(str, WEIGHTS))}, mean of 3",
            _millions(found),
            "fall",
            falls,
        )
    ]


def targets(_: Path, say: Say) -> list[Row]:
    """Derived FLOPs against four targets of the Lagrangian, three seeds each."""
    least, greatest = extremes()
    rows = []
    for share in SHARES:
        target = least + share * (greatest - least)
        searches = [digits_search(subject_to=[f"flops <= {target}"], seed=seed) for seed in SEEDS]
        derived = [one.record.epochs[-1].derived_costs["flops"] / target for one in searches]
        expected = [one.record.epochs[-1].expected["flops"] / target for one in searches]
        say(f"target {target / 1e6:.2f} M: derived {_percent(derived)}, expected {_percent(expected)}")
        reached = all(0.9 <= ratio <= 1.1 for ratio in (*derived, *expected))
        figure = f"{_percent(derived)} ({_percent(expected)})"
        what = f"FLOPs derived (expected) with a target of {target / 1e6:.2f} M"
        rows.append(Row(what, figure, "90-110 %", reached))
    return rows


def table(data: Path, say: Say) -> list[Row]:
    """Recorded accuracies of what first-order DARTS and the guarded default derive in 50 epochs on CIFAR-10.

    The networks have 8 channels and a cell a stage, and 2,560 images of 16 pixels a side, half for the
    logits, whose rate is 0.02: the papers' 3e-4 is for the 20 times as many steps of all images. The papers'
    figures are 54.3 % for DARTS, whose cells end up with nothing but skips, and 93.8 % for DARTS-.
    """
    space = NASBench201(channels=8, cells=1, resolution=16)
    images = load(data / "cifar10", resolution=16, limit=2560)
    recorded = accuracies(data)

    def searched(name: str, **settings: Any) -> tuple[float, float]:
        """Mean accuracies of what was derived at the best epoch, and of the answers."""
        best: list[float] = []
        last: list[float] = []
        for seed in SEEDS:
            one = run(space, images, epochs=50, batch_size=64, seed=seed, **settings)
            accuracy = [recorded[epoch.derived] for epoch in one.record.epochs]
            best.append(max(accuracy))
            last.append(recorded[str(one.architecture)])
            epoch = accuracy.index(best[-1]) + 1
            say(
                f"{name}, seed {seed}: {best[-1]:.2f} % after epoch {epoch}, {last[-1]:.2f} % in the end: "
                f"`{one.architecture}`{_why(one.record.stopped)}"
            )
        return statistics.mean(best), statistics.mean(last)

    best, last = searched("first-order DARTS", method="darts:rate=0.02", guard=None)
    _, guarded = searched("the guarded default", method="darts_minus:rate=0.02", guard=Guard())
    return [
        Row(
            "recorded test accuracy, first-order DARTS at its best epochs and in the end, mean of 3",
            f"{best:.2f}, {last:.2f} %",
            "collapses: in the end below the next",
            last < guarded,
        ),
        Row(
            "recorded test accuracy, the guarded default in the end, mean of 3",
            f"{guarded:.2f} %",
            "≥ 93.5 % (of a GPU)",
            guarded >= 93.5,
        ),
    ]


def step(_: Path, say: Say) -> list[Row]:
    """A step of a supernet against its blocks run alone, and what the penalty adds to it."""
    return [
        *_step(NASBench201(channels=16, cells=1, resolution=32)),
        *_step(FBNet(resolution=32, classes=10)),
    ]


def _step(space: SearchSpace) -> list[Row]:
    supernetwork = space.supernetwork()
    supernet = Supernet(supernetwork).to(memory_format=torch.channels_last)
    logits = initial_logits(supernetwork, np.random.default_rng(0))
    flops = costs(supernet.weights, ["flops"])["flops"]
    aim = [Constraint("flops", sum(flops.extremes(supernetwork)) / 2)]
    images, labels = _like(supernetwork.skeleton.inputs[0].shape), torch.arange(BATCH) % 10
    candidates = [one.network for mixture in supernetwork.mixtures.values() for one in mixture]
    parts = [_alone(block) for block in (*candidates, *supernetwork.fixed) if block and block.items]

    def weights_step() -> None:
        fixed = {group: values.detach() for group, values in logits.items()}
        F.cross_entropy(supernet(images, softmax(fixed)), labels).backward()

    def logits_step() -> None:
        loss = F.cross_entropy(supernet(images, softmax(logits)), labels)
        first_order(lambda: loss, list(logits.values()))

    def alone() -> None:
        for module, inputs, gradient in parts:
            module(*inputs).backward(gradient)

    def penalty() -> None:
        expected = flops.expected(softmax(logits).probabilities)
        Lagrangian()(torch.zeros(()), {"flops": expected}, aim).backward()

    with torch_threads(1), freed_memory_kept():
        by_weights, by_logits, apart, added = _cpu_seconds(weights_step, logits_step, alone, penalty)
    share = _median_ratio(added, by_logits)
    return [
        Row(f"{space.name}: a step of {what} / all blocks alone", f"{ratio:.3f}", "≤ 1.1", ratio <= 1.1)
        for what, ratio in (
            ("the weights", _median_ratio(by_weights, apart)),
            ("the logits", _median_ratio(by_logits, apart)),
        )
    ] + [Row(f"{space.name}: the penalty / a step of the logits", f"{share:.2%}", "≤ 2 %", share <= 0.02)]


def _median_ratio(whole: list[float], part: list[float]) -> float:
    """The median over rounds: the load of the machine, which changes between rounds, cancels."""
    return statistics.median(one / other for one, other in zip(whole, part, strict=True))


def _cpu_seconds(*actions: Callable[[], None]) -> list[list[float]]:
    """The time on the processor of each in each round of all, after one to warm up."""
    for action in actions:
        action()
    times: list[list[float]] = [[] for _ in actions]
    for _ in range(ROUNDS):
        for action, seconds in zip(actions, times, strict=True):
            started = time.process_time()
            action()
            seconds.append(time.process_time() - started)
    return times


def _alone(block: Network) -> tuple[nn.Module, list[Tensor], Tensor]:
    """A block with inputs that want gradients, and a gradient for its output."""
    inputs = [_like(value.shape).requires_grad_() for value in block.inputs]
    return to_torch(block).to(memory_format=torch.channels_last), inputs, _like(block.outputs[0].shape)


def _like(shape: Shape) -> Tensor:
    images = torch.randn(BATCH, *shape)
    return images.contiguous(memory_format=torch.channels_last) if len(shape) == 3 else images


def _millions(flops: list[float]) -> str:
    return ", ".join(f"{one / 1e6:.2f}" for one in flops) + " M"


def _why(stopped: str) -> str:
    return f" ({stopped})" if stopped else ""


def _percent(ratios: list[float]) -> str:
    return ", ".join(f"{100 * ratio:.0f}" for ratio in ratios) + " %"


def tenas(data: Path, say: Say) -> list[Row]:
    """Recorded accuracies of the cells that TE-NAS leaves with its own settings.

    Batches of 72, from 5,000 images of CIFAR-10, and means over 3 initialisations, of which the seeds share
    none. The paper's figure is 93.9 % ± 0.47 (table 2).
    """
    found = mean_accuracy(data, batch=TENAS_BATCH, repeats=3, seeds=len(SEEDS), say=say)
    what = f"recorded test accuracy, TE-NAS with batches of {TENAS_BATCH}, mean of {len(SEEDS)}"
    return [Row(what, f"{found:.2f} %", "≥ 93.5 %", found >= 93.5)]


PARTS: dict[str, Callable[[Path, Say], list[Row]]] = {
    "step": step,
    "weights": weights,
    "targets": targets,
    "table": table,
    "tenas": tenas,
}


def page(rows: Sequence[Row], lines: Mapping[str, Sequence[str]]) -> str:
    """What was reached, and under each part's heading what it does and each of its searches."""
    parts = [
        f"## {name}\n\n{inspect.getdoc(PARTS[name])}\n\n" + "".join(f"* {line}\n" for line in found)
        for name, found in lines.items()
    ]
    heads = ["benchmark", "figure", "goal", "reached"]
    return HEAD + "\n" + markdown_table(heads, [_cells(row) for row in rows]) + "\n" + "\n".join(parts)


@dataclass(frozen=True)
class Done:
    """What a part found, and what it said."""

    rows: list[Row]
    lines: list[str]


def _done(part: str, data: Path, kept: Path) -> Done:
    """The part as it was done before, or now."""
    path = kept / f"{part}.json"
    if path.exists():
        document = json.loads(path.read_text())
        return Done([Row(**row) for row in document["rows"]], document["lines"])
    lines: list[str] = []

    def say(line: str) -> None:
        print(line, flush=True)
        lines.append(line)

    done = Done(PARTS[part](data, say), lines)
    kept.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(done), indent=2, ensure_ascii=False))
    return done


def _cells(row: Row) -> list[str]:
    return [row.what, row.figure, row.goal, "yes" if row.reached else "no"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=PARTS, help="these parts, and no page")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--kept", type=Path, default=Path("runs/differentiable"), help="parts done")
    arguments = parser.parse_args()
    found = {part: _done(part, arguments.data, arguments.kept) for part in arguments.only or PARTS}
    rows = [row for one in found.values() for row in one.rows]
    shown = Table("benchmark", "figure", "goal", "reached", box=None, pad_edge=False)
    for row in rows:
        shown.add_row(*_cells(row))
    Console(width=130).print(shown)
    if arguments.only is None:
        PAGE.write_text(page(rows, {part: one.lines for part, one in found.items()}))


if __name__ == "__main__":
    main()
