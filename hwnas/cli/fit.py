"""`hwnas fit`: a latency predictor from a table."""

from __future__ import annotations

from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hwnas.cli.data import resolve
from hwnas.cli.options import Json, Seed, Space
from hwnas.cli.output import console, print_json, print_table
from hwnas.cli.targets import search_space

if TYPE_CHECKING:
    from hwnas.latency import FittedPredictor


def fit(
    table: Annotated[str, typer.Argument(help="Latency table: a folder, or a name of `hwnas list tables`.")],
    kind: Annotated[
        str, typer.Option(help="lookup, kernel, linear, gbm, gp or gcn; or `all` to compare them.")
    ] = "lookup",
    space: Space = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the predictor.")] = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Fit a latency predictor and state its error on networks held out."""
    from hwnas.latency import LatencyTable
    from hwnas.latency import fit as fit_predictor
    from hwnas.latency.predictors import kinds
    from hwnas.latency.tables.records import to_plain

    loaded = LatencyTable.load(resolve("latency_tables", table))
    spec = space or loaded.meta.space
    named = search_space(spec) if spec else None
    if kind == "all" and out is not None:
        raise ValueError("--kind all compares; choose one kind to write it with --out")
    reasons: dict[str, str] = {}
    fitted: dict[str, FittedPredictor] = {}
    for one in kinds() if kind == "all" else [kind]:
        try:
            fitted[one] = fit_predictor(loaded, one, space=named, seed=seed)
        except ValueError as error:
            if kind != "all":
                raise
            reasons[one] = str(error)
    if out is not None:
        fitted[kind].save(out)
    if json:
        errors: dict[str, Any] = {
            one: to_plain(p.held_out) if p.held_out else None for one, p in fitted.items()
        }
        print_json(errors | {one: {"reason": reason} for one, reason in reasons.items()})
        return
    rows = [[one, *_error(predictor)] for one, predictor in fitted.items()]
    print_table(["held out", *_COLUMNS], rows)
    for one, reason in reasons.items():
        console.print(f"{one}: {reason}", markup=False, soft_wrap=True)
    if out is not None:
        console.print(f"wrote {out}", markup=False)


_COLUMNS = (
    "networks", "MAPE", "within 5 %", "within 10 %", "Spearman", "90 % interval", "covers",
)  # fmt: skip


def _error(predictor: FittedPredictor) -> list[str]:
    from hwnas.latency.predictors.validate import fewest_to_hold_out

    held_out = predictor.held_out
    if held_out is None:
        needed = fewest_to_hold_out(type(predictor.predictor).fewest)
        return [f"too few: {needed} needed", *[""] * (len(_COLUMNS) - 1)]
    return [
        str(held_out.n),
        f"{100 * held_out.mape:.2f} %",
        f"{100 * held_out.within_5:.0f} %",
        f"{100 * held_out.within_10:.0f} %",
        f"{held_out.spearman:.3f}",
        "" if isnan(held_out.half_width) else f"± {100 * held_out.half_width:.1f} %",
        "" if isnan(held_out.covered) else f"{100 * held_out.covered:.0f} %",
    ]
