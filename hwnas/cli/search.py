"""`hwnas search`: the best network under constraints, verified."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hwnas.cli.data import resolve
from hwnas.cli.options import Board, Flash, Json, Seed, Space, Sram, run_folder
from hwnas.cli.oracles import oracles
from hwnas.cli.output import console, print_json, print_table, progress_bar, say
from hwnas.cli.predict import interpolated_share, predictor_of
from hwnas.cli.targets import search_space
from hwnas.cli.workers import workers
from hwnas.cost import limits
from hwnas.objectives import format_quantity
from hwnas.spec import read_settings

if TYPE_CHECKING:
    from hwnas.latency import Device, FittedPredictor, LatencyTable
    from hwnas.latency.instructions.predictor import InstructionPredictor
    from hwnas.latency.predictors.base import Floats
    from hwnas.search import Run, Training, Trial
    from hwnas.spaces import SearchSpace
    from hwnas.training import ReducedAccuracy


def search(
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
            help="Metric to maximise (see `hwnas list metrics`); reduced_accuracy has settings: "
            "reduced_accuracy:epochs=27,channels=0.5,resolution=0.5,samples=1,limit=5000,batch_size=32,lr=0.05,"
            "device=cuda,precision=bf16. The candidates train on the same device."
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
            help="Strategy (see `hwnas list strategies`), with settings: genetic:population=20,parents=6."
        ),
    ] = "evolution",
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
            "there are workers, or as the run in the folder has. Other than this, workers change no result."
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
    check_strategy(name, settings)
    if data is not None:
        _check_data(data)
    goal, own = _maximized(maximize, data, seed)
    training = _training(data, train_epochs, seed, own)
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


def _check_data(data: str) -> None:
    """Refuse what cannot be read before the search, and not after it."""
    from hwnas.training import load

    try:
        load(data, resolution=32, limit=20)
    except ValueError as error:
        raise ValueError(f"--data {data}: {error}") from error


def _maximized(text: str, data: str | None, seed: int) -> tuple[str, dict[str, ReducedAccuracy]]:
    """The name of the metric to maximise, and the metric itself where it has settings."""
    name, colon, settings = text.partition(":")
    if not colon:
        return name, {}
    from hwnas.search.reduced import NAME, reduced_accuracy

    if name != NAME:
        raise ValueError(f"--maximize {text!r}: only {NAME} has settings, {name} has none")
    return name, {name: reduced_accuracy(data, seed, read_settings(settings, f"metric {name}"))}


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


def _training(
    data: str | None, epochs: int, seed: int, own: Mapping[str, ReducedAccuracy]
) -> Training | None:
    if epochs == 0:
        return None
    if data is None:
        raise ValueError("--train-epochs needs --data: digits, a file, or a folder of images")
    from hwnas.search import Training
    from hwnas.training import TrainingSettings

    reduced = next(iter(own.values()), None)
    if reduced is None:
        return Training(data, TrainingSettings(epochs=epochs, seed=seed))
    settings = replace(reduced.full.settings, epochs=epochs, warmup_epochs=min(0.5, epochs / 2))
    return Training(data, settings, reduced.full.device)


def print_answer(found: Run, json: bool, interpolated: Floats | None = None) -> None:
    """Print the verified candidates, and the answer.

    Args:
        found: by the search.
        json: for machines.
        interpolated: of each candidate's predicted latency, the share that is interpolated, `[n]`; None
            where the predictor does not.

    Raises:
        NothingFeasibleError: there is no answer.
    """
    from hwnas.report.headline import trainings_of, trials_of
    from hwnas.report.intervals import drift_warning, interval_text
    from hwnas.search.spending import full_trainings

    record = found.record
    evaluated = full_trainings(record.trials, record.maximize)
    if json:
        from dataclasses import asdict

        listed = [asdict(c) for c in record.candidates]
        if interpolated is not None:
            for one, share in zip(listed, interpolated, strict=True):
                one["interpolated"] = float(share)
        counts = {"trials": len(record.trials), "evaluated": evaluated}
        print_json({"winner": record.winner, **counts, "candidates": listed})
        found.best()
        return
    names = [record.maximize, *(n for n in record.bounds if n != record.maximize)]
    measured = list(dict.fromkeys(name for c in record.candidates for name in c.measured))
    between = [name for name in names if any(name in c.intervals for c in record.candidates)]
    lines = [
        *((name, [_number(c.predicted, name) for c in record.candidates]) for name in names),
        *((f"interval of {name}", [interval_text(c, name) for c in record.candidates]) for name in between),
        *(() if interpolated is None else [("interpolated", [f"{100 * one:.0f} %" for one in interpolated])]),
        *(
            (f"measured {name}".replace("_", " "), [_number(c.measured, name) for c in record.candidates])
            for name in measured
        ),
        *((f"{name} within", [_yes_or_no(c.within(name)) for c in record.candidates]) for name in between),
        ("satisfies", ["yes" if c.satisfies else "no" for c in record.candidates]),
    ]
    ranks = [str(rank) for rank in range(1, len(record.candidates) + 1)]
    print_table(["candidate", *ranks], [[name, *values] for name, values in lines])
    if warning := drift_warning(record.candidates):
        console.print(warning, markup=False, soft_wrap=True)
    console.print(
        f"{trials_of(len(record.trials))}, {trainings_of(evaluated, record.maximize)}", markup=False
    )
    console.print(f"report: {found.folder / 'report.html'}", markup=False)
    best = found.best()
    console.print(f"best: {best.architecture}\nonnx: {best.onnx}", markup=False, soft_wrap=True)


def _number(values: Any, name: str) -> str:
    if name not in values:
        return ""
    return format_quantity(values[name], "bytes") if name.endswith("_bytes") else f"{values[name]:.4g}"


def _yes_or_no(answer: bool | None) -> str:
    return {True: "yes", False: "no", None: ""}[answer]
