"""`hwnas report`: draw the report of a run again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from hwnas.cli.options import Json, Space, refuse, run_folder
from hwnas.cli.output import console, print_json
from hwnas.cli.targets import search_space, space_of_run
from hwnas.differentiable.pruning.record import PRUNING, PruningRecord, load_pruning
from hwnas.differentiable.records import RECORD, DifferentiableRecord, load


def report(
    run: Annotated[Path, typer.Argument(help="Folder of a run.", parser=run_folder, metavar="RUN")],
    optuna: Annotated[
        str | None,
        typer.Option(help="Write the trials into a storage of Optuna, too, such as sqlite:///runs.db."),
    ] = None,
    space: Space = None,
    json: Json = False,
) -> None:
    """Write report.html and the pictures of a run, finished or not, and state its answer.

    --optuna of a run in a space of your own needs its --space, as the drawing of a derived architecture does.
    """
    if (run / RECORD).exists():
        refuse({"optuna": optuna}, "of a differentiable search, which has no trials")
        _report_differentiable(run, space, json)
        return
    if (run / PRUNING).exists():
        refuse({"optuna": optuna}, "of a search by pruning, which has no trials")
        _report_pruning(run, space, json)
        return
    from hwnas import search
    from hwnas.report import write_report

    if optuna is None:
        refuse({"space": space}, "without --optuna")
    found = search.load(run)
    write_report(found.record, run)
    if optuna is not None:
        from hwnas.search.to_optuna import export_study

        searched = space_of_run(found.record, space)
        try:
            study = export_study(run, optuna, space=searched)
        except ValueError as error:
            raise ValueError(f"--optuna {optuna}: {error}") from error
    if json:
        print_json(asdict(found.record))
        return
    console.print(f"wrote {run / 'report.html'} and {run / 'report.png'}", markup=False)
    if optuna is not None:
        trials = len(study.get_trials(deepcopy=False))
        console.print(
            f"study {study.study_name} in {optuna} has {trials} trials; see them: optuna-dashboard {optuna}",
            markup=False,
            soft_wrap=True,
        )


def _report_differentiable(run: Path, space: str | None, json: bool) -> None:
    from hwnas.report.differentiable import write_differentiable

    written = write_differentiable(run, None if space is None else search_space(space))
    _say_written(run, written, load(run), json)


def _report_pruning(run: Path, space: str | None, json: bool) -> None:
    from hwnas.report.pruning import write_pruning

    written = write_pruning(run, None if space is None else search_space(space))
    _say_written(run, written, load_pruning(run), json)


def _say_written(
    run: Path, written: Sequence[Path], record: DifferentiableRecord | PruningRecord, json: bool
) -> None:
    if json:
        print_json(asdict(record))
        return
    names = [path.name for path in written]
    console.print(f"wrote {', '.join(names[:-1])} and {names[-1]} in {run}", markup=False, soft_wrap=True)
