"""`hwnas fit --transfer`: a new device from tables of others and a few measurements."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hwnas.cli.data import resolve
from hwnas.cli.measure import shown_in
from hwnas.cli.output import progress_bar, say
from hwnas.cli.targets import search_space
from hwnas.spaces import SearchSpace, space_of_file

if TYPE_CHECKING:
    from hwnas.latency import Device, FittedPredictor, LatencyTable


def from_new_measurements(
    names: list[str],
    space: str | None,
    on: Device,
    *,
    n: int,
    validate_on: int,
    folder: Path,
    seed: int,
) -> FittedPredictor:
    """Choose networks, measure them on the device into `folder`, fit, and validate on others."""
    from hwnas.latency import few_shot

    tables = _tables(names)
    searched = _space(space, tables)
    say(f"choosing {n} networks of {searched}, and {validate_on} random ones to validate on")
    with progress_bar("measuring") as bar:
        made = few_shot(
            searched,
            on,
            tables,
            n=n,
            validate_on=validate_on,
            folder=folder,
            progress=shown_in(bar),
            seed=seed,
        )
    return made.predictor


def from_table(names: list[str], space: str | None, target: str, *, seed: int) -> FittedPredictor:
    """Fit on a table of the new device that is there already."""
    from hwnas.latency import LatencyTable, fit
    from hwnas.latency.transfer.few_shot import check_others, reference

    measured = LatencyTable.load(resolve("latency_tables", target))
    searched = _space(space, [measured])
    tables = _tables(names)
    check_others(tables, measured.meta.identity)
    references = [reference(table, searched) for table in tables]
    return fit(measured, "transfer", space=searched, references=references, seed=seed)


def _tables(names: list[str]) -> list[LatencyTable]:
    from hwnas.latency import LatencyTable

    return [LatencyTable.load(resolve("latency_tables", name)) for name in names]


def _space(space: str | None, tables: list[LatencyTable]) -> SearchSpace:
    """That of `--space`, else the one that all the tables name."""
    if space is not None:
        return search_space(space)
    known = {table.meta.space for table in tables}
    named = known.pop() if len(known) == 1 else None
    if named is None:
        raise ValueError("--space is missing: the tables name no space, or different ones")
    return space_of_file(named)
