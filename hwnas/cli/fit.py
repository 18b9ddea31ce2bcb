"""`hwnas fit`: a latency predictor from a table."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from hwnas.cli.data import resolve
from hwnas.cli.options import Json, Seed, Space
from hwnas.cli.output import console, print_json, print_table
from hwnas.cli.targets import search_space


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
    from hwnas.latency.fit import fit as fit_predictor
    from hwnas.latency.predictors import KINDS

    loaded = LatencyTable.load(resolve("latency_tables", table))
    spec = space or loaded.meta.space
    kinds = list(KINDS) if kind == "all" else [kind]
    if kind == "all" and out is not None:
        raise ValueError("--kind all compares; choose one kind to write it with --out")
    fitted = {one: fit_predictor(loaded, one, space=search_space(spec), seed=seed) for one in kinds}
    if out is not None:
        fitted[kind].save(out)
    if json:
        print_json({one: asdict(predictor.error) for one, predictor in fitted.items()})
        return
    rows = [
        [
            one,
            f"{p.error.n}",
            f"{100 * p.error.mape:.2f} %",
            f"{100 * p.error.within_5:.0f} %",
            f"{100 * p.error.within_10:.0f} %",
            f"{p.error.spearman:.3f}",
        ]
        for one, p in fitted.items()
    ]
    print_table(["held out", "networks", "MAPE", "within 5 %", "within 10 %", "Spearman"], rows)
    if out is not None:
        console.print(f"wrote {out}", markup=False)
