"""`hwnas fit`: a latency predictor from a table."""

from __future__ import annotations

from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hwnas.cli.data import resolve
from hwnas.cli.devices import device_of
from hwnas.cli.options import (
    Batch,
    Compile,
    DeviceThreads,
    Graphs,
    Json,
    Layout,
    Level,
    Precision,
    Quick,
    Seed,
    Space,
    refuse,
)
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
        typer.Argument(help="Latency table, a folder or a name of `hwnas list tables`; more for --transfer."),
    ],
    kind: Annotated[
        str | None,
        typer.Option(
            help="lookup (the default), kernel, linear, gbm, gp, gcn or transfer; or `all` to compare them."
        ),
    ] = None,
    space: Space = None,
    composition: Annotated[
        str | None,
        typer.Option(help="lookup, kernel: `affine` corrects sums by whole networks; `sum` does not."),
    ] = None,
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
    target: Annotated[
        str | None, typer.Option(help="--transfer: table of the new device, where it was measured already.")
    ] = None,
    n: Annotated[
        int | None, typer.Option("--n", help="--transfer: networks to measure and fit on; 20 by default.")
    ] = None,
    validate_on: Annotated[
        int | None, typer.Option(help="--transfer: random networks to validate on; 10 by default.")
    ] = None,
    device_name: Annotated[
        str | None, typer.Option("--device", help="--transfer: the new device; ort-cpu by default.")
    ] = None,
    threads: DeviceThreads = None,
    level: Level = None,
    precision: Precision = None,
    batch: Batch = None,
    layout: Layout = None,
    compile: Compile = False,
    graphs: Graphs = False,
    quick: Quick = False,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of the predictor; with --transfer it keeps the measurements and resumes."),
    ] = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Fit a latency predictor and state its error on networks held out."""
    of_table = {"kind": kind, "composition": composition, "interpolate": interpolate}
    of_device: dict[str, Any] = {
        "threads": threads,
        "level": level,
        "precision": precision,
        "batch": batch,
        "layout": layout,
        "compile": compile,
        "graphs": graphs,
    }
    of_measuring = {"n": n, "validate-on": validate_on, "device": device_name, "quick": quick, **of_device}
    reasons: dict[str, str] = {}
    if not transfer:
        refuse({"target": target, **of_measuring}, "without --transfer")
        if len(tables) > 1:
            raise ValueError(f"{len(tables)} tables: one is fitted on; several are for --transfer")
        fitted = _on_one_table(
            tables[0], kind or "lookup", space, out, composition, interpolate, seed, reasons
        )
    elif target is not None:
        refuse({**of_table, **of_measuring}, "with --target")
        fitted = {"transfer": from_table(tables, space, target, seed=seed)}
    else:
        refuse(of_table, "with --transfer")
        if out is None:
            raise ValueError("--out is missing: the folder of the predictor and its measurements")
        made = from_new_measurements(
            tables,
            space,
            device_of(device_name or "ort-cpu", quick=quick, **of_device),
            n=20 if n is None else n,
            validate_on=10 if validate_on is None else validate_on,
            folder=out / MEASURED,
            seed=seed,
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
    composition: str | None,
    interpolate: bool,
    seed: int,
    reasons: dict[str, str],
) -> dict[str, FittedPredictor]:
    """The predictor of that kind, or of all; why one of all could not be fitted goes to `reasons`."""
    from hwnas.latency import LatencyTable
    from hwnas.latency import fit as fit_predictor
    from hwnas.latency.predictors import kinds

    loaded = LatencyTable.load(resolve("latency_tables", name))
    named = search_space(space) if space else None
    if kind != "all":
        chosen = composition or "affine"
        fitted = fit_predictor(
            loaded, kind, space=named, composition=chosen, interpolate=interpolate, seed=seed
        )
        return {kind: fitted}
    if out is not None:
        raise ValueError("--kind all compares; choose one kind to write it with --out")
    refuse({"composition": composition, "interpolate": interpolate}, "with --kind all")
    found = {}
    for one in kinds():
        try:
            found[one] = fit_predictor(loaded, one, space=named, seed=seed)
        except ValueError as error:
            reasons[one] = str(error)
    return found


def _print(fitted: dict[str, FittedPredictor], reasons: dict[str, str], out: Path | None, json: bool) -> None:
    from hwnas.latency.records import to_plain

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
