"""`hwnas search --strategy "tenas:proxies='naswot+synflow'"`: a search by pruning, and what is printed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hwnas.cli.output import Bar, console, print_json, print_table, progress_bar
from hwnas.typed import check_settings

if TYPE_CHECKING:
    from hwnas.differentiable.pruning.record import PruningRecord, Round
    from hwnas.differentiable.pruning.search import PruningSettings
    from hwnas.spaces import SearchSpace

TENAS = "tenas"
OPTIONS = ("context", "folder", "space", "strategy", "data", "seed", "json")
"""Options that mean something in a search by pruning."""


def search_by_pruning(
    space: SearchSpace, folder: Path, given: Mapping[str, Any], data: str | None, seed: int, json: bool
) -> None:
    """Search, draw what remained after each round, and print the answer.

    Args:
        space: where to search.
        folder: of the search.
        given: settings of the strategy; the others are the published ones of the space.
        data: whose images the proxies see.
        seed: of everything random.
        json: print the record instead.

    Raises:
        ValueError: a setting is wrong, or the folder holds another search; says which.
    """
    from hwnas.differentiable.pruning.search import number_of_rounds, prune
    from hwnas.differentiable.records import RECORD
    from hwnas.report.pruning import write_pruning
    from hwnas.search.folder import CONFIG, locked

    if data is None:
        raise ValueError(f"--data is missing: {TENAS} scores networks on images: digits, a file, or a folder")
    if any((folder / name).exists() for name in (CONFIG, RECORD)):
        raise ValueError(f"--run {folder} holds a search of another kind; choose another folder")
    settings = _settings(space, given)
    number = number_of_rounds(space, settings.number)
    with locked(folder), progress_bar("pruning") as bar:
        found = prune(
            space,
            data=data,
            folder=folder,
            settings=settings,
            seed=seed,
            progress=lambda one: _show(bar, one, number),
        )
        write_pruning(folder)
    if json:
        print_json(asdict(found.record))
    else:
        _print(found.record, space, folder)


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


def _print(record: PruningRecord, space: SearchSpace, folder: Path) -> None:
    from hwnas.cost import count

    rows = [
        [str(one.number), str(sum(map(len, one.remaining.values()))), f"{one.seconds:.1f} s"]
        for one in record.rounds
    ]
    print_table(["round", "choices left", "took"], rows)
    whole = count(space.parse(record.architecture).network).whole
    lines = [
        f"scored: networks of {record.scored} by {record.settings['proxies'].replace('+', ' and ')}",
        f"best: {record.architecture}",
        f"untrained, {whole.params:,} parameters, {whole.flops / 1e6:.1f} MFLOPs",
        f"picture: {folder / 'remaining.png'}",
    ]
    console.print("\n".join(lines), markup=False, soft_wrap=True)
