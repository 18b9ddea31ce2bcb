"""What a finished search leaves beside its trials, and how it is read back."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hwnas.files import write_whole
from hwnas.latency import Device, LatencyTable
from hwnas.objectives import Metric
from hwnas.search.folder import CONFIG, ENVIRONMENT, OUTCOME, RESULTS, TRIALS, read_json, write_json
from hwnas.search.metrics import PredictedMetric
from hwnas.search.records import Candidate, Interval, MetricInfo, RunRecord, Trial
from hwnas.search.shares import read_share
from hwnas.search.store import CorruptRunError, TrialStore
from hwnas.search.trained import Training


def write_results(folder: Path, trials: Sequence[Trial], metrics: Mapping[str, Metric]) -> None:
    """Write the trials as `results.csv`, a column for each metric, and for each one at a lower fidelity."""
    partial = dict.fromkeys(trial.asked for trial in trials if trial.fidelity < 1)
    names = list(dict.fromkeys([*metrics, *partial]))
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["number", "architecture", "status", *names, "fidelity", "seconds", "reason"])
    for trial in trials:
        values = [trial.metrics.get(name, "") for name in names]
        row = [trial.number, trial.architecture, trial.status, *values]
        row += [trial.fidelity, f"{trial.seconds:.6f}", trial.reason]
        writer.writerow(row)
    write_whole(folder / RESULTS, text.getvalue())


def write_outcome(
    folder: Path,
    candidates: Sequence[Candidate],
    metrics: Mapping[str, Metric],
    *,
    trials: int,
    budget: int,
    device: Device | None,
    training: Training | None,
    known: LatencyTable | None,
) -> None:
    """Write the verified candidates and how they were verified as `outcome.json`."""
    content = {
        "candidates": [asdict(candidate) for candidate in candidates],
        "metrics": {
            name: asdict(MetricInfo(name, m.unit, m.higher_is_better)) for name, m in metrics.items()
        },
        "trials": trials,
        "budget": budget,
        "training": asdict(training) if training else None,
        "known": known.table_id if known is not None else None,
        "environment": _measured_on(device),
        "predictor_error": _held_out(metrics),
    }
    write_json(folder / OUTCOME, content)


def read_record(folder: Path) -> RunRecord:
    """Everything in a run folder, finished or not.

    Raises:
        CorruptRunError: it is no run folder, or damaged.
    """
    config = read_json(folder / CONFIG)
    if not (folder / TRIALS).exists():
        raise CorruptRunError(f"{folder} is no run folder: {TRIALS} is missing")
    with closing(TrialStore(folder / TRIALS, read_only=True)) as store:
        trials = store.trials()
    outcome = read_json(folder / OUTCOME) if (folder / OUTCOME).exists() else {}
    environment = read_json(folder / ENVIRONMENT)
    try:
        candidates = [read_candidate(entry) for entry in outcome.get("candidates", [])]
        return RunRecord(
            title=folder.resolve().name,
            maximize=str(config["maximize"]),
            metrics={name: MetricInfo(**info) for name, info in outcome.get("metrics", {}).items()},
            bounds={str(name): float(bound) for name, bound in config["constraints"].items()},
            trials=trials[: outcome.get("trials")],
            candidates=candidates,
            winner=0 if candidates and candidates[0].satisfies else None,
            config={**config, **{name: outcome.get(name) for name in ("budget", "training", "known")}},
            environment={**environment, **outcome.get("environment", {})},
            predictor_error=outcome.get("predictor_error", {}),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        what = f"{error} is missing" if isinstance(error, KeyError) else error
        raise CorruptRunError(f"{folder / CONFIG} or {OUTCOME} beside it is damaged: {what}") from error


def read_candidate(entry: Mapping[str, Any]) -> Candidate:
    """The candidate that `asdict` made `entry` of; raises KeyError or TypeError where it is none."""
    blocks = [read_share(share) for share in entry["blocks"]]
    intervals = {name: Interval(**interval) for name, interval in entry.get("intervals", {}).items()}
    return Candidate(**{**entry, "blocks": blocks, "intervals": intervals})


def _measured_on(device: Device | None) -> dict[str, Any]:
    if device is None:
        return {}
    identity = device.identity()
    plain = asdict(identity)
    return {**plain, "protocol": {"id": identity.protocol.id, **plain["protocol"]}}


def _held_out(metrics: Mapping[str, Metric]) -> dict[str, float]:
    """The error that a predictor among the metrics states of itself, but for the number of networks."""
    for one in metrics.values():
        error = getattr(one.predictor, "held_out", None) if isinstance(one, PredictedMetric) else None
        if error is not None:
            return {name: value for name, value in asdict(error).items() if name != "n" and value == value}
    return {}
