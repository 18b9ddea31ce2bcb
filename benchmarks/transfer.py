"""A new device from few measurements, by the published protocols, on whatever devices the data files hold.

`python -m benchmarks.transfer` prints each task's mean over its new devices. Of a task whose devices are not
all in the files those that are there take part; the table says how many. `+` is everything that is left.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from benchmarks.public_latencies import PublicLatencies, fbnet, nasbench201
from benchmarks.transfer_tasks import FBNET, NASBENCH201, Task, others
from hwnas.latency.predictors.calibration import Calibration
from hwnas.latency.predictors.linear import LinearPredictor
from hwnas.latency.predictors.validate import spearman, within
from hwnas.latency.transfer.design import design
from hwnas.latency.transfer.encoder import Encoder
from hwnas.latency.transfer.predictor import TransferPredictor

OF_KNOWN, POPULATION = 900, 1500
Indices = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Result:
    """One new device; shares are 0 to 1, `interval` and `upper` those of latencies within the 90 % bounds."""

    device: str
    spearman: float
    within_5: float
    within_10: float
    interval: float
    upper: float
    fit_s: float


class Known:
    """Predictors of known devices, each fitted on its own measurements of the same architectures."""

    def __init__(self, data: PublicLatencies) -> None:
        self.data = data
        every = np.random.default_rng(0).permutation(len(data.architectures))
        self._architectures = every[:OF_KNOWN]
        self._fitted: dict[str, LinearPredictor] = {}

    def predictor(self, device: str) -> LinearPredictor:
        if device not in self._fitted:
            fitted = LinearPredictor()
            networks = [self.data.networks[i] for i in self._architectures]
            fitted.fit(networks, self.data.latency_ms[device][self._architectures])
            self._fitted[device] = fitted
        return self._fitted[device]


def run(
    known: Known,
    task: Task,
    n: int,
    *,
    criterion: str,
    pool: Indices,
    query: Indices,
    trimmed: bool = False,
    references: bool = True,
    seed: int = 0,
) -> Iterator[Result]:
    """The task's new devices that the file has, each from `n` networks of `pool`, judged on `query`.

    Args:
        criterion: `I`, `D`, or `random`.
        trimmed: judge without the lowest and the highest tenth of the latencies, as HELP does.
        references: use the known devices; without them it is the same predictor on measurements alone.
        seed: of the population, and of random networks.
    """
    data = known.data
    there = [device for device in task.known if device in data.latency_ms]
    predictors = [known.predictor(device) for device in there] if references else []
    generator = np.random.default_rng(seed)
    population = pool[generator.permutation(len(pool))[:POPULATION]]
    networks = [data.networks[i] for i in population]
    encoder = Encoder.of(networks, predictors)
    chosen = (
        population[:n]
        if criterion == "random"
        else population[design(encoder, networks, n, criterion=criterion)]
    )
    for device in task.new:
        if device in data.latency_ms:
            predictor = TransferPredictor(encoder)
            measured = data.latency_ms[device]
            started = time.perf_counter()
            predictor.fit([data.networks[i] for i in chosen], measured[chosen])
            seconds = time.perf_counter() - started
            yield _judged(device, predictor, data, _judged_on(measured, query, trimmed), seconds)


def _judged_on(measured: Floats, query: Indices, trimmed: bool) -> Indices:
    if not trimmed:
        return query
    tenth = len(query) // 10
    return query[np.argsort(measured[query], kind="stable")][tenth : len(query) - tenth]


def _judged(
    device: str, predictor: TransferPredictor, data: PublicLatencies, query: Indices, seconds: float
) -> Result:
    networks = [data.networks[i] for i in query]
    measured = data.latency_ms[device][query]
    predicted, relative_std = predictor.prediction(networks)
    scores = (measured / predicted - 1) / relative_std
    calibration = Calibration((), predictor.freedom)
    return Result(
        device,
        spearman(predicted, measured),
        within(predicted, measured, 0.05),
        within(predicted, measured, 0.1),
        float(np.mean(np.abs(scores) <= calibration.half_width(0.9))),
        float(np.mean(scores <= calibration.upper(0.9))),
        seconds,
    )


def nasflat(
    known: Known, task: Task, n: int, criterion: str, seed: int = 0, references: bool = True
) -> list[Result]:
    """All architectures are judged, the measured ones too, as NASFLAT does."""
    every = np.arange(len(known.data.architectures))
    return list(
        run(known, task, n, criterion=criterion, pool=every, query=every, seed=seed, references=references)
    )


def help_protocol(known: Known, task: Task, n: int, criterion: str, of_pool: int) -> list[Result]:
    """HELP's split: networks come from the first `of_pool`, the next 1,000 are judged, trimmed."""
    pool, query = np.arange(of_pool), np.arange(of_pool, of_pool + 1000)
    return list(run(known, task, n, criterion=criterion, pool=pool, query=query, trimmed=True))


COLUMNS = (
    "task",
    "new devices",
    "n",
    "networks",
    "Spearman",
    "published",
    "±5 %",
    "±10 %",
    "90 % interval",
    "least",
)


def row(task: Task, n: int, criterion: str, results: Sequence[Result]) -> list[str]:
    means = {
        name: float(np.mean([getattr(result, name) for result in results]))
        for name in ("spearman", "within_5", "within_10", "interval")
    }
    return [
        task.name,
        f"{len({result.device for result in results})} of {len(task.new)}",
        str(n),
        criterion,
        f"{means['spearman']:.3f}",
        "" if np.isnan(task.published) else f"{task.published:.3f}",
        *(f"{100 * means[name]:.0f}" for name in ("within_5", "within_10")),
        f"{100 * means['interval']:.0f}",
        f"{100 * min(_by_device(results, 'interval')):.0f}",
    ]


def _by_device(results: Sequence[Result], name: str) -> list[float]:
    devices = dict.fromkeys(result.device for result in results)
    return [float(np.mean([getattr(r, name) for r in results if r.device == device])) for device in devices]


def main() -> None:
    """Print one table for each data set, and what holds over all tasks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, nargs="+", default=[20])
    parser.add_argument("--random", type=int, default=0, metavar="SEEDS", help="random networks too")
    parser.add_argument(
        "--spaces", nargs="+", choices=("nasbench201", "fbnet"), default=["nasbench201", "fbnet"]
    )
    parser.add_argument("--tasks", nargs="+", default=[])
    options = parser.parse_args()
    for read, tasks, pool in ((nasbench201, NASBENCH201, 900), (fbnet, FBNET, 4000)):
        if read.__name__ in options.spaces:
            _print(read(), tasks, pool, options)


def _print(data: PublicLatencies, tasks: Sequence[Task], pool: int, options: argparse.Namespace) -> None:
    known = Known(data)
    table = Table(*COLUMNS, title=data.name, box=None, pad_edge=False)
    detail = Table(
        "task", "device", "n", "Spearman", "±10 %", "interval", "upper", "without references", box=None
    )
    for task in (*tasks, others(tasks[0], tuple(data.latency_ms))):
        if options.tasks and task.name not in options.tasks:
            continue
        if not any(device in data.latency_ms for device in task.known) or not any(
            device in data.latency_ms for device in task.new
        ):
            continue
        for n in options.n:
            designed = nasflat(known, task, n, "I")
            alone = nasflat(known, task, n, "I", references=False)
            table.add_row(*row(task, n, "I", designed))
            for result, without in zip(designed, alone, strict=True):
                detail.add_row(
                    task.name,
                    result.device,
                    str(n),
                    f"{result.spearman:.3f}",
                    f"{100 * result.within_10:.0f}",
                    f"{100 * result.interval:.0f}",
                    f"{100 * result.upper:.0f}",
                    f"{without.spearman:.3f}",
                )
            if options.random:
                results = [
                    r for seed in range(options.random) for r in nasflat(known, task, n, "random", seed)
                ]
                table.add_row(*row(task, n, "random", results))
            if task.name in (tasks[0].name, f"{tasks[0].name}+"):
                table.add_row(*row(task, n, "I, HELP's split", help_protocol(known, task, n, "I", pool)))
    console = Console(width=140)
    console.print(table)
    console.print(detail)


if __name__ == "__main__":
    main()
