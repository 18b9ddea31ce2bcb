"""`hwnas search --strategy tenas:proxies=naswot+synflow`: a search by pruning, and what is printed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hwnas.cli.differentiable_answer import Request, print_files, print_measured, verified
from hwnas.cli.output import Bar, console, print_json, print_table, progress_bar
from hwnas.differentiable.records import RECORD
from hwnas.typed import check_settings

if TYPE_CHECKING:
    from hwnas.differentiable.pruning.record import PruningRecord, Round
    from hwnas.differentiable.pruning.search import PruningSettings
    from hwnas.search.records import Candidate
    from hwnas.spaces import Architecture, SearchSpace

TENAS = "tenas"
OPTIONS = (
    "context", "folder", "space", "predictor", "strategy", "data", "train_epochs", "measure", "seed", "json",
)  # fmt: skip
"""Options that mean something in a search by pruning."""


def search_by_pruning(request: Request, json: bool) -> None:
    """Search, verify what was left, write the report and print the answer.

    Args:
        request: what the command line asked for; settings that it does not have are the published ones.
        json: print for machines.

    Raises:
        ValueError: a setting is wrong, or the folder holds another search; says which.
    """
    from hwnas.differentiable.pruning.search import number_of_rounds, prune
    from hwnas.report.pruning import write_pruning
    from hwnas.search.derived import Derived
    from hwnas.search.folder import CONFIG, locked

    data = request.check((CONFIG, RECORD), "scores networks")
    settings = _settings(request.space, request.settings)
    number = number_of_rounds(request.space, settings.number)
    with locked(request.folder):
        with progress_bar("pruning") as bar:
            found = prune(
                request.space,
                data=data,
                folder=request.folder,
                settings=settings,
                seed=request.seed,
                progress=lambda one: _show(bar, one, number),
            )
        derived = Derived(found.architecture, _costs(request, found.architecture))
        candidate = verified(request, derived, request.training(settings.device))
        written = write_pruning(request.folder, request.space)
    if json:
        print_json({"scored": found.record.scored, "rounds": number, **asdict(candidate)})
    else:
        _print(found.record, candidate, written[0])


def _costs(request: Request, architecture: Architecture) -> dict[str, float]:
    """Counts of the answer, and its predicted latency where a predictor is given."""
    from hwnas.search.metrics import CountMetric, PredictedMetric

    found = {name: CountMetric(name)(architecture) for name in ("params", "flops")}
    if request.predictor is not None:
        found["latency_ms"] = PredictedMetric("latency_ms", request.predictor)(architecture)
    return found


def _settings(space: SearchSpace, given: Mapping[str, Any]) -> PruningSettings:
    from hwnas.differentiable.pruning.search import PruningSettings, published_settings

    known = [field.name for field in fields(PruningSettings)]
    for name in given:
        if name not in known:
            raise ValueError(f"strategy {TENAS}: {name} is no setting of it; it has {', '.join(known)}")
    check_settings(PruningSettings, given, f"strategy {TENAS}")
    try:
        return replace(published_settings(space), **given)
    except ValueError as error:
        raise ValueError(f"strategy {TENAS}: {error}") from error


def _show(bar: Bar, one: Round, number: int) -> None:
    left = sum(map(len, one.remaining.values()))
    bar.update(one.number, number, f"{left} choices of {len(one.remaining)} groups remain")


def _print(record: PruningRecord, candidate: Candidate, page: Path) -> None:
    from hwnas.report.differentiable_text import cost
    from hwnas.report.pruning_text import heads, row
    from hwnas.report.text import label

    print_table(heads(record), [row(record, one) for one in record.rounds])
    known = ", ".join(f"{cost(name, value)} {label(name)}" for name, value in candidate.predicted.items())
    lines = [
        f"scored: networks of {record.scored} by {record.settings['proxies'].replace('+', ' and ')}",
        f"derived: {known}",
    ]
    console.print("\n".join(lines), markup=False, soft_wrap=True)
    print_measured(candidate)
    print_files(candidate, page, "random (train them: --train-epochs)")
