"""What NAS-Bench-201 and NATS-Bench record of an architecture (Dong et al., ICLR 2020 and TPAMI 2021).

For each training budget (`less` and `full`, or the number of epochs) a dictionary with `dataset_seed`, the
seeds of each data set, and `all_results`, the run of each (data set, seed): accuracies in percent and losses
by epoch, for the train images in `train_acc1es` and `train_losses`, for others in `eval_acc1es` and
`eval_losses` under `set@epoch`; `flop` in millions of MACs, `params` in millions, `latency` in seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from hwnas.oracles.message import shortened
from hwnas.oracles.numbers import gathered, number
from hwnas.oracles.table import MetricTable

BUDGETS = {"less": 12, "full": 200}
_SETS = {
    "cifar10-valid": {"x-valid": "valid", "ori-test": "test"},
    "cifar10": {"ori-test": "test"},
}
_OTHER_SETS = {"x-valid": "valid", "x-test": "test", "ori-test": "valtest"}


def results_table(
    rows: Iterable[tuple[str, Any]], *, dataset: str, epochs: int | None, source: str
) -> MetricTable:
    """The results after the last epoch, means of the seeds, from (architecture, record by budget).

    Columns: `train_`, `valid_`, `test_` and `valtest_accuracy` (fractions) and `_loss` as far as recorded,
    `macs`, `params`, `latency_ms` of one batch as the benchmark measured it, `training_time_s`.

    Args:
        rows: architectures and what is recorded of them.
        dataset: for example `cifar10` (trained on train and validation images) or `cifar10-valid`.
        epochs: the training budget; the longest of the first architecture where None.
        source: where the rows are from, for messages.

    Raises:
        ValueError: a record has another structure, or no architecture has the data set or the budget.
    """
    seen: set[str] = set()
    selected = list(_selected(rows, dataset, epochs, source, seen))
    if selected and dataset not in seen:
        raise ValueError(f"{source} has no data set {dataset!r}; it has {shortened(', '.join(sorted(seen)))}")
    return gathered(selected, source)


def _selected(
    rows: Iterable[tuple[str, Any]], dataset: str, epochs: int | None, source: str, seen: set[str]
) -> Iterator[tuple[str, dict[str, float]]]:
    for architecture, record in rows:
        try:
            budgets = {BUDGETS.get(key) or int(key): value for key, value in record.items()}
            epochs = max(budgets) if epochs is None else epochs
            result = budgets.get(epochs)
            datasets = [] if result is None else list(map(str, result["dataset_seed"]))
            metrics = _metrics(result, dataset) if dataset in datasets else dict[str, float]()
        except (KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
            raise ValueError(
                f"{source}: the record of {shortened(architecture)} is none of NAS-Bench-201 or NATS-Bench: "
                f"{type(error).__name__}: {shortened(error)}"
            ) from None
        if result is None:
            has = ", ".join(map(str, sorted(budgets)))
            raise ValueError(
                f"{source}: {shortened(architecture)} has no results of {epochs} epochs; it has {has}"
            )
        seen.update(datasets)
        yield architecture, metrics


def _metrics(result: Any, dataset: str) -> dict[str, float]:
    runs = [_run(result["all_results"][dataset, seed], dataset) for seed in result["dataset_seed"][dataset]]
    names = dict.fromkeys(name for run in runs for name in run)
    return {name: _mean([run[name] for run in runs if name in run]) for name in names}


def _mean(values: list[float]) -> float:
    known = [value for value in values if value == value]
    return float(np.mean(known)) if known else float("nan")


def _run(run: Any, dataset: str) -> dict[str, float]:
    last = run["epochs"] - 1
    metrics = {
        "train_accuracy": number(run["train_acc1es"][last]) / 100,
        "train_loss": number(run["train_losses"][last]),
    }
    for recorded, ours in _SETS.get(dataset, _OTHER_SETS).items():
        key = f"{recorded}@{last}"
        if key in run["eval_acc1es"]:
            metrics[f"{ours}_accuracy"] = number(run["eval_acc1es"][key]) / 100
            metrics[f"{ours}_loss"] = number(run["eval_losses"][key])
    metrics["macs"] = 1e6 * number(run["flop"])
    metrics["params"] = 1e6 * number(run["params"])
    latencies = [number(value) for value in run["latency"] or ()]
    metrics["latency_ms"] = 1e3 * _mean([value for value in latencies if value > 0])
    if run["train_times"]:
        metrics["training_time_s"] = sum(number(value) for value in run["train_times"].values())
    return metrics
