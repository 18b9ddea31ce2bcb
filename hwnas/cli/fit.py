"""`hwnas fit`: a latency predictor from a table."""

from __future__ import annotations

from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hwnas.cli.data import resolve
from hwnas.cli.devices import device_of
from hwnas.cli.options import Batch, DeviceName, DeviceThreads, Json, Level, Precision, Quick, Seed, Space
from hwnas.cli.output import console, print_json, print_table
from hwnas.cli.targets import search_space
from hwnas.cli.transfer import from_new_measurements, from_table

if TYPE_CHECKING:
    from hwnas.latency import FittedPredictor

MEASURED = "measured"
"""The folder within a predictor's that keeps what was measured for it."""


def fit(
    tables: Annotated[
        list[str],
        typer.Argument(
            help="Latency table: a folder, or a name of `hwnas list tables`; several with --transfer."
        ),
    ],
    kind: Annotated[
        str, typer.Option(help="lookup, kernel, linear, gbm, gp, gcn or transfer; or `all` to compare them.")
    ] = "lookup",
    space: Space = None,
    composition: Annotated[
        str, typer.Option(help="lookup, kernel: `affine` corrects sums by whole networks; `sum` does not.")
    ] = "affine",
    interpolate: Annotated[
        bool, typer.Option("--interpolate", help="lookup, kernel: estimate parts that were not measured.")
    ] = False,
    transfer: Annotated[
        bool,
        typer.Option(
            "--transfer",
            help="The tables are of other devices: choose --n networks, measure them on --device, fit on "
            "them, and validate on others. With --target nothing is measured.",
        ),
    ] = False,
    n: Annotated[int, typer.Option("--n", help="--transfer: networks to measure and fit on.")] = 20,
    validate_on: Annotated[int, typer.Option(help="--transfer: random networks to validate on.")] = 10,
    target: Annotated[
        str | None, typer.Option(help="--transfer: table of the new device, where it was measured already.")
    ] = None,
    device_name: DeviceName = "ort-cpu",
    threads: DeviceThreads = None,
    level: Level = None,
    precision: Precision = None,
    batch: Batch = None,
    quick: Quick = False,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of the predictor; with --transfer it keeps the measurements and resumes."),
    ] = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Fit a latency predictor and state its error on networks held out."""
    reasons: dict[str, str] = {}
    if not transfer:
        if len(tables) > 1:
            raise ValueError(f"{len(tables)} tables: one is fitted on; several are for --transfer")
        options = {"composition": composition, "interpolate": interpolate}
        fitted = _on_one_table(tables[0], kind, space, out, options, seed, reasons)
    elif target is not None:
        fitted = {"transfer": from_table(tables, space, target, seed=seed)}
    else:
        if out is None:
            raise ValueError("--out is missing: the folder of the predictor and its measurements")
        on = device_of(
            device_name, quick=quick, threads=threads, level=level, precision=precision, batch=batch
        )
        made = from_new_measurements(
            tables, space, on, n=n, validate_on=validate_on, folder=out / MEASURED, seed=seed
        )
        fitted = {"transfer": made}
    if out is not None:
        next(iter(fitted.values())).save(out)
    _print(fitted, reasons, out, json)


def _on_one_table(
    name: str,
    kind: str,
    space: str | None,
    out: Path | None,
    options: dict[str, Any],
    seed: int,
    reasons: dict[str, str],
) -> dict[str, FittedPredictor]:
    """The predictor of that kind, or of all; why one of all could not be fitted goes to `reasons`."""
    from hwnas.latency import LatencyTable
    from hwnas.latency import fit as fit_predictor
    from hwnas.latency.predictors import kinds

    loaded = LatencyTable.load(resolve("latency_tables", name))
    spec = space or loaded.meta.space
    named = search_space(spec) if spec else None
    if kind != "all":
        return {kind: fit_predictor(loaded, kind, space=named, seed=seed, **options)}
    if out is not None:
        raise ValueError("--kind all compares; choose one kind to write it with --out")
    fitted = {}
    for one in kinds():
        try:
            fitted[one] = fit_predictor(loaded, one, space=named, seed=seed)
        except ValueError as error:
            reasons[one] = str(error)
    return fitted


def _print(fitted: dict[str, FittedPredictor], reasons: dict[str, str], out: Path | None, json: bool) -> None:
    from hwnas.latency.tables.records import to_plain

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
