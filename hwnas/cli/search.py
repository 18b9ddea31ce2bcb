"""`hwnas search`: the best network under constraints, verified."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hwnas.cli.data import resolve
from hwnas.cli.differentiable import search_by_gradients
from hwnas.cli.differentiable_answer import Request
from hwnas.cli.differentiable_pruning import OPTIONS as PRUNING_OPTIONS
from hwnas.cli.differentiable_pruning import TENAS, search_by_pruning
from hwnas.cli.differentiable_settings import targets_of
from hwnas.cli.maximized import maximized, training_of_candidates
from hwnas.cli.options import Board, Flash, Json, Seed, Space, Sram, refuse, run_folder
from hwnas.cli.oracles import oracles
from hwnas.cli.output import progress_bar, say
from hwnas.cli.predict import interpolated_share, predictor_of
from hwnas.cli.search_answer import print_answer
from hwnas.cli.targets import search_space
from hwnas.cli.workers import workers
from hwnas.cost import limits
from hwnas.differentiable.pruning.record import PRUNING
from hwnas.differentiable.records import RECORD

if TYPE_CHECKING:
    from hwnas.latency import Device, FittedPredictor, LatencyTable
    from hwnas.latency.instructions.predictor import InstructionPredictor
    from hwnas.search import Trial
    from hwnas.spaces import SearchSpace


GRADIENTS = (
    "context", "folder", "space", "subject_to", "predictor", "strategy", "penalty", "target", "data",
    "train_epochs", "measure", "seed", "json",
)  # fmt: skip
"""Options that mean something in a search by gradients."""


def search(
    context: typer.Context,
    folder: Annotated[
        Path,
        typer.Option(
            "--run",
            help="Folder of the run. The same command resumes it.",
            parser=run_folder,
            metavar="<path>",
        ),
    ],
    space: Space = None,
    maximize: Annotated[
        str,
        typer.Option(
            help="Metric to maximise (see `hwnas list metrics`); those that train have settings: "
            "reduced_accuracy:epochs=27,channels=0.5, accuracy_oneshot:epochs=50,sampling=sandwich. The "
            "candidates train on the same device."
        ),
    ] = "zero_cost",
    subject_to: Annotated[
        list[str] | None, typer.Option(help="Constraint such as 'latency_ms <= 5ms'; may be repeated.")
    ] = None,
    predictor: Annotated[
        str | None,
        typer.Option(
            help="Predictor of latency_ms: a folder, a name, or a board: cortex-m7-cmsisnn:stm32h743."
        ),
    ] = None,
    table: Annotated[
        str | None,
        typer.Option(
            help="Latency table of the predictor's device, such as the one that it was fitted on: its "
            "networks within the budget are candidates."
        ),
    ] = None,
    oracle: Annotated[
        list[str] | None,
        typer.Option(
            help="Metric from recorded results, such as accuracy=table.csv:test_accuracy (NAME=FILE:COLUMN); "
            "may be repeated. NAME may be left out, and COLUMN of a file with one."
        ),
    ] = None,
    runtime: Annotated[
        str | None,
        typer.Option(help="Runtime of a microcontroller, for peak_sram_bytes and flash_bytes."),
    ] = None,
    board: Board = None,
    sram: Sram = None,
    flash: Flash = None,
    strategy: Annotated[
        str,
        typer.Option(
            help="Strategy (see `hwnas list strategies`), with settings: genetic:population=20,parents=6, or "
            "of a search by gradients: darts:order=2,epochs=20; or tenas:proxies=naswot+synflow."
        ),
    ] = "evolution",
    penalty: Annotated[
        list[str] | None,
        typer.Option(
            help="Cost that a search by gradients holds at its --target: flops, macs, params, latency_ms or "
            "peak_sram_bytes; as flops:ratio,weight=0.1 in another form (`hwnas list penalties`)."
        ),
    ] = None,
    target: Annotated[
        list[str] | None, typer.Option(help="What the --penalty before it holds, such as 50M or 5ms.")
    ] = None,
    budget: Annotated[
        int,
        typer.Option(
            help="Number of networks evaluated by the maximised metric; what is asked for again, scored by "
            "another metric, or over a bound costs nothing."
        ),
    ] = 200,
    trial_seconds: Annotated[
        float | None, typer.Option(help="A trial that takes longer than this many seconds has failed.")
    ] = None,
    jobs: Annotated[int, typer.Option(help="Worker processes.")] = 1,
    dask: Annotated[
        str | None,
        typer.Option(help="Scheduler of a dask cluster that evaluates instead, such as tcp://10.0.0.5:8786."),
    ] = None,
    ahead: Annotated[
        int | None,
        typer.Option(
            help="Networks under way at a time: each is chosen without the results of the others. As many as "
            "there are workers when the run begins; later ones, and a repetition with more, change no result."
        ),
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="Data set of the proxies' batch and of the training.")
    ] = None,
    train_epochs: Annotated[int, typer.Option(help="Train the candidates this long; 0 for not at all.")] = 0,
    candidates: Annotated[int, typer.Option(help="How many candidates to verify.")] = 5,
    measure: Annotated[bool, typer.Option(help="Measure the candidates on the predictor's device.")] = True,
    confidence: Annotated[
        float,
        typer.Option(
            help="Probability with which what is predicted keeps its bound when measured; 0.5 compares the "
            "prediction itself."
        ),
    ] = 0.9,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Search a space under constraints, then measure and train the best candidates."""
    from hwnas.report import write_report
    from hwnas.search import Events
    from hwnas.search import run as run_search
    from hwnas.search.folder import recorded_ahead
    from hwnas.search.settings import check_strategy, read_strategy
    from hwnas.search.spending import Spending

    name, settings = read_strategy(strategy)
    if data is not None:
        _check_data(data)
    if name == TENAS or _is_by_gradients(name):
        _refuse_others(context, name, PRUNING_OPTIONS if name == TENAS else GRADIENTS)
        targets, form = targets_of(penalty or [], target or [], subject_to or [])
        fitted, on = _predictor(predictor, measure)
        request = Request(search_space(space), folder, name, settings, data, fitted, on, train_epochs, seed)
        if name == TENAS:
            search_by_pruning(request, json)
        else:
            search_by_gradients(request, targets, form, json)
        return
    refuse({"penalty": penalty, "target": target}, f"with --strategy {name}: bound costs by --subject-to")
    check_strategy(name, settings)
    if (folder / RECORD).exists():
        raise ValueError(f"--run {folder} holds a search by gradients; choose another folder")
    if (folder / PRUNING).exists():
        raise ValueError(f"--run {folder} holds a search by pruning; choose another folder")
    goal, own = maximized(maximize, data, seed)
    training = training_of_candidates(data, train_epochs, seed, own)
    fitted, on = _predictor(predictor, measure)
    known = _known(table, on)
    searched = search_space(space)
    spending = Spending(goal)
    with workers(jobs, dask) as (executor, number), progress_bar("searching") as bar:

        def show(trial: Trial) -> None:
            spending.add(trial)
            bar.update(int(spending.trainings), budget, "searching")

        found = run_search(
            searched,
            maximize=goal,
            folder=folder,
            subject_to=[*(subject_to or []), *limits(board, sram, flash).constraints()],
            metrics=_metrics(fitted, oracle or [], searched) | own,
            strategy=name,
            strategy_settings=settings,
            budget=budget,
            ahead=ahead if ahead is not None else recorded_ahead(folder) or number,
            seed=seed,
            data=data,
            confidence=confidence,
            runtime=runtime,
            trial_seconds=trial_seconds,
            executor=executor,
            device=on,
            training=training,
            candidates=candidates,
            known=known,
            events=Events(show, say),
        )
    write_report(found.record, folder)
    networks = [searched.parse(candidate.architecture).network for candidate in found.record.candidates]
    print_answer(found, json, None if fitted is None else interpolated_share(fitted, networks))


def _is_by_gradients(strategy: str) -> bool:
    """Whether it is a method of differentiable search; raises ValueError where it is no strategy at all."""
    from hwnas.search import STRATEGIES

    if strategy in STRATEGIES:
        return False
    from hwnas.differentiable.methods import METHODS
    from hwnas.search.settings import unknown_strategy

    if strategy not in METHODS:
        raise unknown_strategy(strategy, (*STRATEGIES, *METHODS, TENAS))
    return True


def _refuse_others(context: typer.Context, strategy: str, known: Sequence[str]) -> None:
    """Refuse options that were given and are none of the known ones."""
    for option in context.params:
        source = context.get_parameter_source(option)
        if source is not None and source.name == "COMMANDLINE" and option not in known:
            raise ValueError(f"--{option.replace('_', '-')} has no effect with --strategy {strategy}")


def _check_data(data: str) -> None:
    """Refuse what cannot be read before the search, and not after it."""
    from hwnas.training import load

    try:
        load(data, resolution=32, limit=20)
    except ValueError as error:
        raise ValueError(f"--data {data}: {error}") from error


def _metrics(
    fitted: FittedPredictor | InstructionPredictor | None, given: list[str], space: SearchSpace
) -> dict[str, Any]:
    """The metrics that are not counts or proxies, by name."""
    from hwnas.search.metrics import known_metrics

    predicted: dict[str, Any] = {} if fitted is None else {"latency_ms": fitted}
    recorded = oracles(given, space, taken=predicted)
    for name in recorded:
        if name in known_metrics():
            raise ValueError(
                f"--oracle: {name} is a metric of hwnas; give yours another name, as NAME=FILE:COLUMN"
            )
    return predicted | recorded


def _predictor(
    name: str | None, measure: bool
) -> tuple[FittedPredictor | InstructionPredictor | None, Device | None]:
    """The predictor and the device that it is of, checked to be this machine's; boards are not measured."""
    if name is None:
        return None, None
    from hwnas.latency import FittedPredictor, device_like

    fitted = predictor_of(name)
    if not measure or not isinstance(fitted, FittedPredictor):
        return fitted, None
    return fitted, device_like(fitted.card.identity)


def _known(name: str | None, on: Device | None) -> LatencyTable | None:
    """The table of networks that were measured before."""
    if name is None:
        return None
    if on is None:
        raise ValueError(
            "--table needs --predictor, and not --no-measure: its networks are compared by device"
        )
    from hwnas.latency import LatencyTable

    return LatencyTable.load(resolve("latency_tables", name))
