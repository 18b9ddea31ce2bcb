"""`hwnas fit`: a latency predictor from a table."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hwnas.cli.data import resolve
from hwnas.cli.options import Json, Seed, Space
from hwnas.cli.output import console, print_json, print_table
from hwnas.cli.targets import search_space

if TYPE_CHECKING:
    from hwnas.latency.predictors.validate import HeldOutError


def fit(
    table: Annotated[str, typer.Argument(help="Latency table: a folder, or a name of `hwnas list tables`.")],
    kind: Annotated[str, typer.Option(help="lookup, linear or gbm; or `all` to compare them.")] = "lookup",
    space: Space = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the predictor.")] = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Fit a latency predictor and state its error on networks held out."""
    from hwnas.latency import LatencyTable
    from hwnas.latency import fit as fit_predictor
    from hwnas.latency.predictors import kinds, predictor_class

    loaded = LatencyTable.load(resolve("latency_tables", table))
    spec = space or loaded.meta.space
    named = search_space(spec) if spec else None
    measured = sum(not entry.failed for entry in loaded.networks)
    wanted = [one for one in kinds() if predictor_class(one).fewest <= measured] if kind == "all" else [kind]
    if kind == "all" and out is not None:
        raise ValueError("--kind all compares; choose one kind to write it with --out")
    fitted = {one: fit_predictor(loaded, one, space=named, seed=seed) for one in wanted}
    if out is not None:
        fitted[kind].save(out)
    if json:
        print_json({one: asdict(p.held_out) if p.held_out else None for one, p in fitted.items()})
        return
    rows = [[one, *_error(predictor.held_out)] for one, predictor in fitted.items()]
    print_table(["held out", "networks", "MAPE", "within 5 %", "within 10 %", "Spearman"], rows)
    if out is not None:
        console.print(f"wrote {out}", markup=False)


def _error(held_out: HeldOutError | None) -> list[str]:
    if held_out is None:
        return ["too few", "", "", "", ""]
    return [
        str(held_out.n),
        f"{100 * held_out.mape:.2f} %",
        f"{100 * held_out.within_5:.0f} %",
        f"{100 * held_out.within_10:.0f} %",
        f"{held_out.spearman:.3f}",
    ]
