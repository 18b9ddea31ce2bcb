"""`hwnas search --strategy darts`: a search by gradients, what becomes of its answer, and what is printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from hwnas.cli.differentiable_settings import SearchOptions, parts_of
from hwnas.cli.maximized import training_of_candidates
from hwnas.cli.output import Bar, console, print_json, print_table, progress_bar, say
from hwnas.objectives import Constraint, format_quantity

if TYPE_CHECKING:
    from hwnas.differentiable.guards import Guard
    from hwnas.differentiable.methods import Method
    from hwnas.differentiable.records import DifferentiableRecord, Epoch
    from hwnas.differentiable.search import DifferentiableRun
    from hwnas.differentiable.settings import Precision
    from hwnas.latency import Device, FittedPredictor
    from hwnas.latency.instructions.predictor import InstructionPredictor
    from hwnas.latency.predictors.parts import PartsPredictor
    from hwnas.network.weights import Weights
    from hwnas.search import Training
    from hwnas.search.records import Candidate
    from hwnas.spaces import SearchSpace


@dataclass(frozen=True)
class Request:
    """What the command line asked for.

    Attributes:
        space: where to search.
        folder: of the run.
        method: its name.
        settings: of the strategy, the method's own and those of `SearchOptions`.
        targets: costs that are to be kept.
        form: of the penalty.
        data: to train on.
        predictor: of the latency.
        device: where the answer is measured; it is not where None.
        train_epochs: of the derived architecture; 0: it keeps the supernet's weights.
        seed: of everything random.
    """

    space: SearchSpace
    folder: Path
    method: str
    settings: Mapping[str, Any]
    targets: Sequence[Constraint]
    form: str
    data: str | None
    predictor: FittedPredictor | InstructionPredictor | None
    device: Device | None
    train_epochs: int
    seed: int


def search_by_gradients(request: Request, json: bool) -> None:
    """Search, verify what was derived, write the report and print the answer.

    Raises:
        ValueError: a setting is wrong, or the search diverged; says which and what would be right.
    """
    from hwnas.report.differentiable import write_differentiable
    from hwnas.search.folder import CONFIG, locked

    if request.data is None:
        raise ValueError(f"--data is missing: {request.method} trains on images: digits, a file, or a folder")
    if (request.folder / CONFIG).exists():
        raise ValueError(f"--run {request.folder} holds a search of another kind; choose another folder")
    method, options, guard = parts_of(request.method, request.settings)
    training = training_of_candidates(request.data, request.train_epochs, request.seed, {})
    with locked(request.folder):
        found = _searched(request, method, options, guard)
        candidate = _verified(request, found, training and replace(training, device=options.device))
        written = write_differentiable(request.folder, request.space)
    _print(found.record, candidate, written[0], json)


def _searched(
    request: Request, method: Method, options: SearchOptions, guard: Guard | None
) -> DifferentiableRun:
    from hwnas.differentiable.search import search
    from hwnas.differentiable.stepper import SearchDiverged

    with progress_bar("searching") as bar:
        try:
            return search(
                request.space,
                data=str(request.data),
                folder=request.folder,
                method=method,
                subject_to=request.targets,
                predictor=_parts_of(request),
                penalty=request.form,
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
    from hwnas.report.text import label

    costs = ", ".join(f"{cost(name, value)} {label(name)}" for name, value in epoch.derived_costs.items())
    bar.update(epoch.number, epochs, f"derived now: {costs}, {skips_of(epoch.skips)}")


def _parts_of(request: Request) -> PartsPredictor | None:
    """The table of blocks that the predictor adds up; None where no latency is asked for."""
    from hwnas.latency import FittedPredictor
    from hwnas.latency.predictors.parts import PartsPredictor

    given = request.predictor
    inner = given.predictor if isinstance(given, FittedPredictor) else given
    is_asked = any(target.metric == "latency_ms" for target in request.targets)
    if isinstance(inner, PartsPredictor) or (inner is None and not is_asked):
        return inner
    raise ValueError(
        "a search by gradients adds up the latencies of blocks, so latency_ms needs a look-up: "
        "--predictor NAME, of hwnas fit TABLE --kind lookup"
    )


def _verified(request: Request, found: DifferentiableRun, training: Training | None) -> Candidate:
    from hwnas.latency import FittedPredictor
    from hwnas.search.derived import Derived, verify_derived

    last = found.record.epochs[-1]
    accuracy = last.train_accuracy if last.validation_accuracy is None else last.validation_accuracy
    derived = Derived(
        found.architecture, _costs(request, found), accuracy, request.targets, _inherited(found)
    )
    return verify_derived(
        derived,
        request.folder,
        predictor=request.predictor if isinstance(request.predictor, FittedPredictor) else None,
        device=request.device,
        training=training,
        say=say,
    )


def _costs(request: Request, found: DifferentiableRun) -> Mapping[str, float]:
    """Of the answer, which a guard may have made another than what the last epoch derived."""
    from hwnas.differentiable.costs.targets import costs
    from hwnas.differentiable.supernet.weights import CandidateWeights

    last = found.record.epochs[-1]
    if last.derived == found.record.architecture:
        return last.derived_costs
    supernetwork = request.space.supernetwork()
    priced = costs(CandidateWeights(supernetwork), last.derived_costs, _parts_of(request))
    return {name: cost.of(supernetwork, found.architecture) for name, cost in priced.items()}


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
    from hwnas.report.text import label

    rows = [
        [name, _or_blank(name, record.targets), cost(name, value), _or_blank(name, candidate.predicted)]
        for name, value in last.expected.items()
    ]
    print_table(["cost", "target", "expected", "derived"], rows)
    for name, value in candidate.measured.items():
        text = format_quantity(value, "fraction") if name.endswith("accuracy") else cost(name, value)
        console.print(f"measured {label(name)}: {text}", markup=False)
    if record.targets:
        kept = "yes" if candidate.satisfies else f"no{f', {candidate.reason}' if candidate.reason else ''}"
        console.print(f"within the targets: {kept}", markup=False)
    ended = f", ended early: {record.stopped}" if record.stopped else ""
    weights = "trained" if "accuracy" in candidate.measured else "inherited from the supernet"
    lines = [
        f"{epochs_of(record)}{ended}",
        f"report: {page}",
        f"best: {candidate.architecture}",
        f"onnx: {page.parent / candidate.onnx}, weights {weights}"
        if candidate.onnx
        else f"onnx: none, {candidate.reason}",
    ]
    console.print("\n".join(lines), markup=False, soft_wrap=True)


def _or_blank(name: str, values: Mapping[str, float]) -> str:
    from hwnas.report.differentiable_text import cost

    return cost(name, values[name]) if name in values else ""
