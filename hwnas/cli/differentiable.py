"""`hwnas search --strategy darts`: a search by gradients, what becomes of its answer, and what is printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, cast

from hwnas.cli.differentiable_answer import Request, print_files, print_measured, verified
from hwnas.cli.differentiable_settings import SearchOptions, parts_of
from hwnas.cli.output import Bar, console, print_json, print_table, progress_bar
from hwnas.differentiable.pruning.record import PRUNING
from hwnas.objectives import Constraint

if TYPE_CHECKING:
    from hwnas.differentiable.guards import Guard
    from hwnas.differentiable.methods import Method
    from hwnas.differentiable.records import DifferentiableRecord, Epoch
    from hwnas.differentiable.search import DifferentiableRun
    from hwnas.differentiable.settings import Precision
    from hwnas.latency.predictors.parts import PartsPredictor
    from hwnas.network.weights import Weights
    from hwnas.search.derived import Derived
    from hwnas.search.records import Candidate


def search_by_gradients(request: Request, targets: Sequence[Constraint], form: str, json: bool) -> None:
    """Search, verify what was derived, write the report and print the answer.

    Args:
        request: what the command line asked for.
        targets: costs that are to be kept.
        form: of the penalty.
        json: print for machines.

    Raises:
        ValueError: a setting is wrong, or the search diverged; says which and what would be right.
    """
    from hwnas.report.differentiable import write_differentiable
    from hwnas.search.folder import CONFIG, locked

    data = request.check((CONFIG, PRUNING), "trains")
    method, options, guard = parts_of(request.strategy, request.settings)
    training = request.training(options.device)
    with locked(request.folder):
        found = _searched(request, data, targets, form, method, options, guard)
        candidate = verified(request, _derived(request, targets, found), training)
        written = write_differentiable(request.folder, request.space)
    _print(found.record, candidate, written[0], json)


def _searched(
    request: Request,
    data: str,
    targets: Sequence[Constraint],
    form: str,
    method: Method,
    options: SearchOptions,
    guard: Guard | None,
) -> DifferentiableRun:
    from hwnas.differentiable.search import search
    from hwnas.differentiable.stepper import SearchDiverged

    with progress_bar("searching") as bar:
        try:
            return search(
                request.space,
                data=data,
                folder=request.folder,
                method=method,
                subject_to=targets,
                predictor=_parts_of(request, targets),
                penalty=form,
                guard=guard,
                epochs=options.epochs,
                batch_size=options.batch_size,
                seed=request.seed,
                precision=cast("Precision", options.precision),
                threads=options.threads,
                device=options.device,
                progress=lambda epoch: _show(bar, epoch, options.epochs),
            )
        except SearchDiverged as error:
            raise ValueError(str(error)) from error


def _show(bar: Bar, epoch: Epoch, epochs: int) -> None:
    from hwnas.report.differentiable_text import cost, skips_of
    from hwnas.report.text import label, shorten

    costs = ", ".join(f"{cost(name, value)} {label(name)}" for name, value in epoch.derived_costs.items())
    derived = f"{shorten(epoch.derived, 60)}, {costs}"
    bar.update(epoch.number, epochs, f"derived now: {derived}; unguarded {skips_of(epoch.skips)}")


def _parts_of(request: Request, targets: Sequence[Constraint]) -> PartsPredictor | None:
    """The table of blocks that the predictor adds up; None where no latency is asked for."""
    from hwnas.latency import FittedPredictor
    from hwnas.latency.predictors.parts import PartsPredictor

    given = request.predictor
    inner = given.predictor if isinstance(given, FittedPredictor) else given
    is_asked = any(target.metric == "latency_ms" for target in targets)
    if isinstance(inner, PartsPredictor) or (inner is None and not is_asked):
        return inner
    raise ValueError(
        "a search by gradients adds up the latencies of blocks, so latency_ms needs a look-up: "
        "--predictor NAME, of hwnas fit TABLE --kind lookup"
    )


def _derived(request: Request, targets: Sequence[Constraint], found: DifferentiableRun) -> Derived:
    from hwnas.search.derived import Derived

    last = found.record.epochs[-1]
    accuracy = last.train_accuracy if last.validation_accuracy is None else last.validation_accuracy
    return Derived(found.architecture, last.derived_costs, accuracy, targets, _inherited(found))


def _inherited(found: DifferentiableRun) -> Weights:
    from hwnas.network.to_torch import to_torch
    from hwnas.network.weights import module_weights

    network = found.architecture.network
    module = to_torch(network)
    module.load_state_dict(found.weights)
    return module_weights(network, module)


def _print(record: DifferentiableRecord, candidate: Candidate, page: Path, json: bool) -> None:
    last = record.epochs[-1]
    if json:
        print_json(
            {
                "targets": record.targets,
                "epochs": len(record.epochs),
                "stopped": record.stopped,
                "expected": last.expected,
                **asdict(candidate),
            }
        )
        return
    from hwnas.report.differentiable_text import cost, epochs_of

    rows = [
        [name, _or_blank(name, record.targets), cost(name, value), _or_blank(name, candidate.predicted)]
        for name, value in last.expected.items()
    ]
    print_table(["cost", "target", "expected", "derived"], rows)
    print_measured(candidate)
    if record.targets:
        kept = "yes" if candidate.satisfies else f"no{f', {candidate.reason}' if candidate.reason else ''}"
        console.print(f"within the targets: {kept}", markup=False)
    ended = f", ended early: {record.stopped}" if record.stopped else ""
    console.print(f"{epochs_of(record)}{ended}", markup=False, soft_wrap=True)
    print_files(candidate, page, "inherited from the supernet")


def _or_blank(name: str, values: Mapping[str, float]) -> str:
    from hwnas.report.differentiable_text import cost

    return cost(name, values[name]) if name in values else ""
