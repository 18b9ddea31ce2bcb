"""`hwnas bundle`: models for another machine to measure, and the table of what it brings back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hwnas.cli.options import (
    Archs,
    Batch,
    Blocks,
    DeviceThreads,
    Json,
    Level,
    Precision,
    Quick,
    Samples,
    Seed,
    Space,
    refuse,
)
from hwnas.cli.output import console, print_json, say
from hwnas.cli.targets import architectures, blocks_to_measure
from hwnas.latency import QUICK, STANDARD
from hwnas.latency.measuring.networks import subjects_of
from hwnas.latency.measuring.onnx_file import subject_of
from hwnas.latency.remote.bundle import write_bundle
from hwnas.latency.remote.manifest import read_manifest
from hwnas.latency.remote.options import CpuOptions
from hwnas.latency.remote.results import read_results, save_results
from hwnas.latency.tables.plausible import check_plausible


def bundle(
    files: Annotated[list[Path] | None, typer.Argument(help="ONNX files to measure, as they are.")] = None,
    space: Space = None,
    arch: Archs = None,
    samples: Samples = None,
    blocks: Blocks = None,
    threads: DeviceThreads = None,
    level: Level = None,
    precision: Precision = None,
    batch: Batch = None,
    quick: Quick = False,
    seed: Seed = 0,
    read: Annotated[
        Path | None,
        typer.Option("--read", help="Folder of a bundle whose results are back: write their table."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the bundle, or with --read of the table.")
    ] = None,
    json: Json = False,
) -> None:
    """Write models and a runner for a machine without hwnas; with --read, make its results a table."""
    if out is None:
        raise ValueError("--out is missing: the folder of the bundle, or with --read of the table")
    of_space = {"arch": arch, "samples": samples, "blocks": blocks}
    of_device = {"threads": threads, "level": level, "precision": precision, "batch": batch, "quick": quick}
    if read is not None:
        if files:
            raise ValueError("--read takes what the bundle holds; give no files with it")
        refuse({"space": space, **of_space, **of_device}, "with --read: what the bundle holds is taken")
        _read(read, out, json)
        return
    if space is None:
        refuse(of_space, "without --space")
    options = _options(threads=threads, level=level, precision=precision, batch=batch)
    models = [subject_of(path, options.batch) for path in files or []]
    space_name = None
    if space is not None:
        found, chosen = architectures(space, arch, samples, seed)
        inside = blocks_to_measure(found, blocks, seed)
        models += subjects_of(chosen, None, inside, batch=options.batch)
        space_name = str(found)
    manifest = write_bundle(
        models,
        out,
        options=options,
        protocol=QUICK if quick else STANDARD,
        seed=seed,
        space=space_name,
    )
    if json:
        print_json({"bundle": str(out), "models": len(manifest.models)})
        return
    console.print(f"wrote {len(manifest.models)} models into {out}", markup=False)
    say((out / "README.txt").read_text(encoding="utf-8").rstrip())


def _options(**options: Any) -> CpuOptions:
    return CpuOptions(**{name: value for name, value in options.items() if value is not None})


def _read(folder: Path, out: Path, json: bool) -> None:
    table = read_results(folder)
    check_plausible(table)
    save_results(table, out)
    missing = len(read_manifest(folder).models) - len(table)
    failed = [entry for entry in table if entry.failed]
    content = {
        "table": str(out),
        "table_id": table.table_id,
        "device": table.meta.identity.device.model,
        "networks": len(table.networks),
        "blocks": len(table.blocks),
        "missing": missing,
        "failed": {entry.name: entry.reason for entry in failed},
    }
    if json:
        print_json(content)
        return
    console.print(
        f"{content['networks']} networks and {content['blocks']} blocks of {content['device']}, "
        f"{len(failed)} failed, {missing} not measured yet; wrote {out}",
        markup=False,
    )
