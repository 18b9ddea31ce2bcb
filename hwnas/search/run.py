"""Run a search from its settings to verified networks, in one folder; the same call resumes it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hwnas.executors import InlineExecutor
from hwnas.latency import Device, LatencyTable
from hwnas.latency.predictors.calibration import LEVEL
from hwnas.network import Network
from hwnas.objectives import Constraint, Metric, Objective
from hwnas.search.arguments import check_numbers, check_what, constraints_in
from hwnas.search.evaluate import Evaluator
from hwnas.search.fidelity import at_fidelity, metric_named
from hwnas.search.folder import OUTCOME, TRIALS, claim, locked
from hwnas.search.known import known_networks
from hwnas.search.loop import run_loop
from hwnas.search.metrics import PredictedMetric
from hwnas.search.outcome import read_record, write_outcome, write_results
from hwnas.search.prepared import prepared
from hwnas.search.records import RunRecord, Trial
from hwnas.search.screen import Screen
from hwnas.search.settings import (
    check_strategy,
    describe,
    make_objective,
    make_strategy,
    metrics_of,
    resolve_metrics,
)
from hwnas.search.spending import full_trainings
from hwnas.search.store import TrialStore
from hwnas.search.trained import Training
from hwnas.search.unmet import unanswered, unmet
from hwnas.search.verify import Verifier
from hwnas.spaces import SearchSpace
from hwnas.spaces import space as space_of


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
            raise NothingFeasibleError(unanswered(self.record))
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
    subject_to: Iterable[str | Constraint] = (),
    metrics: Mapping[str, Any] | None = None,
    strategy: str = "evolution",
    strategy_settings: Mapping[str, Any] | None = None,
    budget: int = 200,
    ahead: int = 1,
    seed: int = 0,
    data: str | None = None,
    confidence: float | None = LEVEL,
    runtime: str | None = None,
    executor: Executor | None = None,
    trial_seconds: float | None = None,
    device: Device | None = None,
    training: Training | None = None,
    candidates: int = 5,
    known: LatencyTable | None = None,
    events: Events | None = None,
) -> Run:
    """Search `space` for the architecture with the greatest `maximize` that keeps all constraints.

    Calling it again with the same folder goes on where it was, however it ended.

    Args:
        space: where to search.
        maximize: a metric: a count, a zero-cost proxy, `zero_cost` (several joined), or one of `metrics`.
        folder: where everything is kept.
        subject_to: constraints, `"latency_ms <= 5"`.
        metrics: further metrics by name, or predictors (anything with `predict(networks)`).
        strategy: one of `STRATEGIES`.
        strategy_settings: for the strategy's constructor.
        budget: number of networks that `maximize` is evaluated for. One that is asked for again, scored by
            another metric, or over a bound by cheap metrics costs nothing, one trained for a part costs that
            part; see `hwnas.search.spending`. The search ends earlier where nothing new comes of it.
        ahead: how many networks are under way, as many as the executor has workers. A strategy decides on
            each without the results of the others, so it needs more networks the greater this is.
        seed: of the strategy and of the proxies' initialisation.
        data: data set for the proxies' batch, by name or path; noise where None.
        confidence: what a calibrated predictor gives is compared with a bound so that the measured value
            keeps it with this probability; None or 0.5: the prediction itself is compared.
        runtime: of a microcontroller (`hwnas.cost.memory.RUNTIMES`), for `peak_sram_bytes` and `flash_bytes`.
        executor: where trials and trainings run, never measurements; in this process where None.
        trial_seconds: a trial that takes longer has failed. It then runs in a process that can be ended, to
            whose first trial the loading of its data counts. The limit does not hold for cheap metrics when a
            strategy asks for them before it proposes anything. None for no limit.
        device: where candidates are measured; none are where None.
        training: how candidates are trained; they are not where None.
        candidates: how many to verify.
        known: networks of the space that `device` measured before, such as those that the predictor was
            fitted on: those within the bounds are candidates whose networks are not measured again.
        events: callbacks.

    Returns:
        The run, its record complete and its report data on disk.

    Raises:
        ValueError: a setting is wrong; names it.
        NothingFeasibleError: no trial met the constraints.
        CorruptRunError: the folder cannot be resumed.
        OSError: the folder cannot be written.
    """
    events = events or Events()
    check_what(space, maximize, metrics, strategy_settings)
    settings = dict(strategy_settings or {})
    constraints = constraints_in(subject_to)
    check_strategy(strategy, settings)
    check_numbers(
        budget=budget,
        candidates=candidates,
        seed=seed,
        ahead=ahead,
        trial_seconds=trial_seconds,
        confidence=confidence,
    )
    budget, seed, ahead = int(budget), int(seed), int(ahead)
    resolved = resolve_metrics(
        maximize,
        constraints,
        metrics or {},
        metrics_of(strategy, settings),
        data=data,
        seed=seed,
        confidence=confidence,
        runtime=runtime,
    )
    objective = make_objective(maximize, constraints, resolved)
    searcher = make_strategy(strategy, space, objective, seed, settings)
    searcher.check(resolved)
    if budget < searcher.least_budget:
        raise ValueError(
            f"strategy {strategy} needs a budget of at least {math.ceil(searcher.least_budget)}: until then "
            f"networks are trained for a part only; not {budget}"
        )
    for fidelity in searcher.fidelities:
        metric_named(at_fidelity(maximize, fidelity), resolved)
    _check_device(resolved, device)
    _check_space(resolved, space)
    _check_known(known, device)
    folder = Path(folder)
    with locked(folder):
        claim(folder, describe(space, objective, resolved, strategy, searcher, seed, data, ahead))
        store = TrialStore(folder / TRIALS)
        try:
            if full_trainings(store.trials(), maximize) < budget:
                (folder / OUTCOME).unlink(missing_ok=True)
            _say_what_is_compared(objective, resolved, confidence, events.step)
            resolved = prepared(resolved, space, folder, events.step, executor)
            searcher.screen = Screen(objective, resolved)
            searcher.say = events.step
            evaluator = Evaluator(space, objective, resolved, searcher.trains_infeasible)
            trials = run_loop(
                searcher,
                evaluator,
                store,
                budget=budget,
                ahead=ahead,
                executor=executor,
                trial_seconds=trial_seconds,
                progress=events.trial,
            )
            _say_if_it_ended_early(trials, maximize, budget, events.step)
            write_results(folder, trials, resolved)
            if message := unmet(trials, objective, resolved):
                raise NothingFeasibleError(message)
            measured = known_networks(known, evaluator) if known is not None else []
            verifier = Verifier(
                space,
                objective,
                resolved,
                store,
                folder,
                device,
                training,
                executor or InlineExecutor(),
                events.step,
                measured,
            )
            found = verifier.candidates(trials, candidates)
            best = replace(found[0], blocks=verifier.blocks(found[0].architecture))
            write_outcome(
                folder,
                [best, *found[1:]],
                resolved,
                trials=len(trials),
                budget=budget,
                device=device,
                training=training,
                known=known,
            )
        finally:
            store.close()
    return load(folder, space)


def load(folder: str | Path, space: SearchSpace | None = None) -> Run:
    """The run in `folder`, finished or not.

    Raises:
        CorruptRunError: it is no run folder, or damaged.
    """
    return Run(Path(folder), read_record(Path(folder)), space)


def _say_if_it_ended_early(
    trials: Sequence[Trial], maximize: str, budget: int, say: Callable[[str], None]
) -> None:
    evaluated = full_trainings(trials, maximize)
    if evaluated < budget - 1:
        say(
            f"the search ended after {evaluated:g} of {budget} networks: nothing new came of more trials, or "
            "the strategy asks for no more"
        )


def _say_what_is_compared(
    objective: Objective, metrics: Mapping[str, Metric], confidence: float | None, say: Callable[[str], None]
) -> None:
    """Say of which bounded quantities the prediction itself is compared, against what was wished."""
    for name in [constraint.metric for constraint in objective.constraints]:
        one = metrics[name]
        if isinstance(one, PredictedMetric) and one.confidence is None and confidence not in (None, 0.5):
            say(f"{name}: the predictor has no intervals; its predictions are compared with the bound")


def _check_device(metrics: Mapping[str, Metric], device: Device | None) -> None:
    """Refuse a predictor of another device, runtime or protocol than the one that verifies."""
    for one in metrics.values():
        if device is not None and isinstance(one, PredictedMetric) and hasattr(one.predictor, "check_device"):
            one.predictor.check_device(device.identity())


def _check_space(metrics: Mapping[str, Metric], space: SearchSpace) -> None:
    """Refuse a predictor that knows another space only."""
    for one in metrics.values():
        if isinstance(one, PredictedMetric) and hasattr(one.predictor, "check_space"):
            one.predictor.check_space(str(space))


def _check_known(known: LatencyTable | None, device: Device | None) -> None:
    """Refuse known measurements without a device, or of another one."""
    if known is None:
        return
    if device is None:
        raise ValueError("known: measured networks are candidates only where a device verifies: give device")
    known.require_same_device(device)
