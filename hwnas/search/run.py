"""Run a search from its settings to verified networks, in one folder; the same call resumes it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, field, is_dataclass, replace
from pathlib import Path
from typing import Any

from hwnas.latency import Device
from hwnas.network import Network
from hwnas.objectives import Constraint, Metric, Objective
from hwnas.search.evaluate import Evaluator
from hwnas.search.executors import InlineExecutor
from hwnas.search.folder import (
    CONFIG,
    ENVIRONMENT,
    RESULTS,
    TRIALS,
    claim,
    locked,
    read_json,
    write_json,
    write_text,
)
from hwnas.search.loop import AHEAD, run_loop
from hwnas.search.metrics import PredictedMetric, metric
from hwnas.search.records import BlockShare, Candidate, MetricInfo, RunRecord, Trial
from hwnas.search.store import CorruptRunError, TrialStore
from hwnas.search.strategy import STRATEGIES, Strategy
from hwnas.search.verify import Training, Verifier, block_shares
from hwnas.spaces import SearchSpace
from hwnas.spaces import space as space_of

OUTCOME = "outcome.json"


class NothingFeasibleError(ValueError):
    """No trial met the constraints; the message says how near the nearest came."""


@dataclass(frozen=True)
class Best:
    """The answer of a search.

    Attributes:
        architecture: its text.
        network: what to build on.
        metrics: measured values over predicted ones.
        onnx: the file with its (trained) weights.
    """

    architecture: str
    network: Network
    metrics: Mapping[str, float]
    onnx: Path | None


@dataclass(frozen=True)
class Run:
    """A search in its folder; `space` is looked up by its recorded name where it is not given."""

    folder: Path
    record: RunRecord
    space: SearchSpace | None = None

    def best(self) -> Best:
        """The best network that satisfies the constraints by measurement.

        Raises:
            NothingFeasibleError: there is none; the message names the nearest.
            ValueError: the space cannot be found by its name.
        """
        if self.record.winner is None:
            raise NothingFeasibleError(nearest(self.record))
        chosen = self.record.candidates[self.record.winner]
        space = self.space or space_of(self.record.config["space"])
        network = space.parse(chosen.architecture).network
        file = self.folder / chosen.onnx if chosen.onnx else None
        return Best(chosen.architecture, network, {**chosen.predicted, **chosen.measured}, file)


@dataclass(frozen=True)
class Events:
    """Callbacks of a run: each finished trial, and each step of the verification."""

    trial: Callable[[Trial], None] | None = None
    step: Callable[[str], None] = field(default=lambda message: None)


def run(
    space: SearchSpace,
    *,
    maximize: str,
    folder: str | Path,
    subject_to: Sequence[str | Constraint] = (),
    metrics: Mapping[str, Any] | None = None,
    strategy: str = "evolution",
    strategy_settings: Mapping[str, Any] | None = None,
    budget: int = 200,
    seed: int = 0,
    data: str | None = None,
    executor: Executor | None = None,
    device: Device | None = None,
    training: Training | None = None,
    candidates: int = 5,
    events: Events | None = None,
) -> Run:
    """Search `space` for the architecture with the greatest `maximize` that keeps all constraints.

    Calling it again with the same folder goes on where it was, however it ended.

    Args:
        space: where to search.
        maximize: a metric: a count, a zero-cost proxy, or one of `metrics`.
        folder: where everything is kept.
        subject_to: constraints, `"latency_ms <= 5"`.
        metrics: further metrics by name, or predictors (anything with `predict(networks)`).
        strategy: `"random"` or `"evolution"`.
        strategy_settings: for the strategy's constructor.
        budget: number of trials.
        seed: of the strategy and of the proxies' initialisation.
        data: data set for the proxies' batch, by name or path; noise where None.
        executor: where trials and trainings run, never measurements; in this process where None.
        device: where candidates are measured; none are where None.
        training: how candidates are trained; they are not where None.
        candidates: how many to verify.
        events: callbacks.

    Returns:
        The run, its record complete and its report data on disk.

    Raises:
        ValueError: a setting is wrong; names it.
        NothingFeasibleError: no trial met the constraints.
        CorruptRunError: the folder cannot be resumed.
        OSError: the folder cannot be written.
    """
    _check_numbers(budget, candidates)
    events = events or Events()
    resolved = _resolve(maximize, subject_to, metrics or {}, strategy_settings or {}, data, seed)
    units = {name: one.unit for name, one in resolved.items()}
    constraints = tuple(c if isinstance(c, Constraint) else Constraint.parse(c, units) for c in subject_to)
    objective = Objective(maximize, constraints)
    searcher = make_strategy(strategy, space, objective, seed, strategy_settings or {})
    folder = Path(folder)
    with locked(folder):
        claim(folder, _config(space, objective, resolved, strategy, searcher, seed, data))
        store = TrialStore(folder / TRIALS)
        try:
            evaluator = Evaluator(space, objective, resolved)
            trials = run_loop(
                searcher, evaluator, store, budget=budget, executor=executor, progress=events.trial
            )
            infos = {n: MetricInfo(n, m.unit, m.higher_is_better) for n, m in resolved.items()}
            _write_results(folder, trials, infos)
            _require_feasible(trials, objective)
            verifier = Verifier(
                space, objective, store, folder, device, training, executor or InlineExecutor(), events.step
            )
            found = verifier.candidates(trials, candidates)
            found = _with_blocks(space, found, device)
            _write_outcome(folder, found, infos, budget, device, training, resolved)
        finally:
            store.close()
    return load(folder, space)


def load(folder: str | Path, space: SearchSpace | None = None) -> Run:
    """The run in `folder`, finished or not.

    Raises:
        CorruptRunError: it is no run folder, or damaged.
    """
    folder = Path(folder)
    config = read_json(folder / CONFIG)
    try:
        bounds = {str(name): float(bound) for name, bound in config["constraints"].items()}
        maximize = str(config["maximize"])
    except (KeyError, TypeError, AttributeError) as error:
        raise CorruptRunError(f"{folder / CONFIG} is damaged: {error!r}") from error
    if not (folder / TRIALS).exists():
        raise CorruptRunError(f"{folder} is no run folder: {TRIALS} is missing")
    store = TrialStore(folder / TRIALS)
    try:
        trials = store.trials()
    finally:
        store.close()
    environment = read_json(folder / ENVIRONMENT)
    outcome = read_json(folder / OUTCOME) if (folder / OUTCOME).exists() else {}
    try:
        found = [_candidate(entry) for entry in outcome.get("candidates", [])]
        infos = {n: MetricInfo(**info) for n, info in (outcome.get("metrics") or {}).items()}
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptRunError(f"{folder / OUTCOME} is damaged: {error!r}") from error
    winner = 0 if found and found[0].satisfies else None
    record = RunRecord(
        title=folder.name,
        maximize=maximize,
        metrics=infos,
        bounds=bounds,
        trials=trials,
        candidates=found,
        winner=winner,
        config={**config, **outcome.get("settings", {})},
        environment={**environment, **outcome.get("environment", {})},
        predictor_error=outcome.get("predictor_error", {}),
    )
    return Run(folder, record, space)


def make_strategy(
    name: str, space: SearchSpace, objective: Objective, seed: int, settings: Mapping[str, Any]
) -> Strategy:
    """A strategy by name; raises ValueError naming the known ones, or the setting that is wrong."""
    if name not in STRATEGIES:
        raise ValueError(f"unknown strategy {name!r}; known: {', '.join(STRATEGIES)}")
    try:
        return STRATEGIES[name](space, objective, seed=seed, **settings)
    except TypeError as error:
        raise ValueError(f"strategy {name}: {error}") from error


def nearest(record: RunRecord) -> str:
    """A sentence on the measured candidate that came nearest to the bounds."""
    bounds = ", ".join(f"{name} <= {bound:g}" for name, bound in record.bounds.items())
    if not record.candidates:
        return f"no architecture satisfies {bounds}"
    closest = record.candidates[0]
    values = {**closest.predicted, **closest.measured}
    stated = ", ".join(f"{name} = {values[name]:.4g}" for name in record.bounds if name in values)
    return (
        f"no candidate satisfies {bounds} by measurement; the nearest, {closest.architecture}, has {stated}"
    )


def _check_numbers(budget: int, candidates: int) -> None:
    if budget < 1:
        raise ValueError(f"budget must be at least 1 trial, not {budget}")
    if candidates < 1:
        raise ValueError(f"candidates must be at least 1, not {candidates}")


def _resolve(
    maximize: str,
    subject_to: Sequence[str | Constraint],
    given: Mapping[str, Any],
    strategy_settings: Mapping[str, Any],
    data: str | None,
    seed: int,
) -> dict[str, Metric]:
    """All metrics that the search needs, by name."""
    names = [maximize]
    for constraint in subject_to:
        text = constraint.metric if isinstance(constraint, Constraint) else constraint
        names.append(text.replace("≤", "<").partition("<")[0].strip())
    if strategy_settings.get("warm_up_by"):
        names.append(str(strategy_settings["warm_up_by"]))
    resolved: dict[str, Metric] = {}
    for name in dict.fromkeys(names):
        own = given.get(name)
        if own is None:
            resolved[name] = metric(name, data=data, seed=seed)
        else:
            resolved[name] = PredictedMetric(name, own) if hasattr(own, "predict") else own
    return resolved


def _config(
    space: SearchSpace,
    objective: Objective,
    metrics: Mapping[str, Metric],
    strategy: str,
    searcher: Strategy,
    seed: int,
    data: str | None,
) -> dict[str, Any]:
    """What decides the trials of a run."""
    return {
        "space": str(space),
        "maximize": objective.maximize,
        "constraints": {c.metric: c.bound for c in objective.constraints},
        "strategy": {"name": strategy, **searcher.settings()},
        "seed": seed,
        "data": data,
        "ahead": AHEAD,
        "metrics": {name: _described(one) for name, one in metrics.items()},
    }


def _described(one: Any) -> dict[str, Any]:
    if isinstance(one, PredictedMetric):
        card = getattr(one.predictor, "card", None)
        return {"predictor": [card.kind, card.table_id] if card else str(one.predictor)}
    if is_dataclass(one) and not isinstance(one, type):
        return {"kind": type(one).__name__, **asdict(one)}
    return {"kind": type(one).__name__, "name": one.name}


def _require_feasible(trials: Sequence[Trial], objective: Objective) -> None:
    if any(objective.fitness(trial.metrics).rank == 2 for trial in trials):
        return
    if not objective.constraints:
        reasons = next((trial.reason for trial in trials if trial.reason), "no reason given")
        raise NothingFeasibleError(
            f"{objective.maximize} is defined for none of {len(trials)} trials: {reasons}"
        )
    smallest = []
    for constraint in objective.constraints:
        seen = [trial.metrics[constraint.metric] for trial in trials if constraint.metric in trial.metrics]
        if seen:
            smallest.append(
                f"smallest {constraint.metric} found: {min(seen):.4g}, bound {constraint.bound:.4g}"
            )
    raise NothingFeasibleError(
        f"none of {len(trials)} trials satisfies all constraints with a defined {objective.maximize}: "
        + "; ".join(smallest)
    )


def _with_blocks(space: SearchSpace, found: list[Candidate], device: Device | None) -> list[Candidate]:
    if not found:
        return found
    shares = block_shares(space.parse(found[0].architecture).network, device)
    return [replace(found[0], blocks=shares), *found[1:]]


def _write_results(folder: Path, trials: Sequence[Trial], infos: Mapping[str, MetricInfo]) -> None:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["number", "architecture", "status", *infos, "seconds", "reason"])
    for trial in trials:
        values = [trial.metrics.get(name, "") for name in infos]
        row = [trial.number, trial.architecture, trial.status, *values, f"{trial.seconds:.6f}", trial.reason]
        writer.writerow(row)
    write_text(folder / RESULTS, text.getvalue())


def _write_outcome(
    folder: Path,
    found: Sequence[Candidate],
    infos: Mapping[str, MetricInfo],
    budget: int,
    device: Device | None,
    training: Training | None,
    metrics: Mapping[str, Metric],
) -> None:
    errors = [
        getattr(m.predictor, "held_out", None) for m in metrics.values() if isinstance(m, PredictedMetric)
    ]
    stated = next((asdict(error) for error in errors if error is not None), {})
    stated.pop("n", None)
    write_json(
        folder / OUTCOME,
        {
            "candidates": [asdict(candidate) for candidate in found],
            "metrics": {name: asdict(info) for name, info in infos.items()},
            "settings": {"budget": budget, "training": asdict(training) if training else None},
            "environment": _measured_on(device),
            "predictor_error": stated,
        },
    )


def _measured_on(device: Device | None) -> dict[str, Any]:
    if device is None:
        return {}
    identity = device.identity()
    plain = asdict(identity)
    return {**plain, "protocol": {"id": identity.protocol.id, **plain["protocol"]}}


def _candidate(entry: Mapping[str, Any]) -> Candidate:
    blocks = [
        BlockShare(**{**block, "output_shape": tuple(block["output_shape"])}) for block in entry["blocks"]
    ]
    return Candidate(**{**entry, "blocks": blocks})


__all__ = ["Best", "Events", "NothingFeasibleError", "Run", "load", "make_strategy", "nearest", "run"]
