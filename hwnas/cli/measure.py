"""`hwnas measure`: a latency table of a device."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hwnas.cli.devices import device_of
from hwnas.cli.options import (
    Archs,
    Batch,
    Blocks,
    Compile,
    DeviceName,
    DeviceThreads,
    Graphs,
    Json,
    Layout,
    Level,
    Precision,
    Quick,
    Samples,
    Seed,
    Space,
    refuse,
)
from hwnas.cli.output import Bar, console, print_json, print_table, progress_bar
from hwnas.cli.targets import architectures, blocks_to_measure
from hwnas.latency import Device, LatencyTable, Progress, measure_onnx
from hwnas.latency import measure as measure_networks
from hwnas.latency.kernels.cover import CANDIDATES, covering
from hwnas.latency.kernels.harvest import measure_kernels
from hwnas.latency.measuring.onnx_file import measure_files
from hwnas.latency.measuring.progress import ProgressCallback
from hwnas.latency.printable import printable
from hwnas.spaces import Architecture, SearchSpace


def measure(
    files: Annotated[
        list[Path] | None, typer.Argument(help="ONNX files to time; with --out, into a table.")
    ] = None,
    space: Space = None,
    arch: Archs = None,
    samples: Samples = None,
    blocks: Blocks = None,
    grain: Annotated[
        str,
        typer.Option(
            help="Parts of networks in the table: `blocks`, measured alone; or `kernels`, from the runtime's "
            "own profile of the files, or of --samples networks, chosen to meet most kernels of the space."
        ),
    ] = "blocks",
    device_name: DeviceName = "ort-cpu",
    threads: DeviceThreads = None,
    level: Level = None,
    precision: Precision = None,
    batch: Batch = None,
    layout: Layout = None,
    compile: Compile = False,
    graphs: Graphs = False,
    quick: Quick = False,
    seed: Seed = 0,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the table. The same command resumes an interrupted one.")
    ] = None,
    json: Json = False,
) -> None:
    """Measure whole networks and their parts on a device, into a latency table; or time ONNX files."""
    for file in files or ():
        if file.suffix.lower() == ".tflite":
            raise ValueError(
                f"{file}: measure takes ONNX files; for a .tflite file there is `hwnas predict`, with "
                "vela-ethos-u55-128 or cortex-m7-cmsisnn:BOARD"
            )
    if grain not in ("blocks", "kernels"):
        raise ValueError(f"--grain must be blocks or kernels, not {grain!r}")
    on = device_of(
        device_name,
        quick=quick,
        threads=threads,
        level=level,
        precision=precision,
        batch=batch,
        layout=layout,
        compile=compile,
        graphs=graphs,
    )
    if files:
        refuse({"space": space, "arch": arch, "samples": samples, "blocks": blocks}, "on ONNX files")
        if grain == "blocks" and out is None:
            _time_files(files, on, json)
            return
    with progress_bar("measuring") as bar:
        if files:
            table = _table_of_files(files, on, grain, out, seed, bar)
        elif grain == "kernels":
            refuse({"blocks": blocks}, "with --grain kernels")
            table = _table_of_kernels(space, arch, samples, on, out, seed, bar)
        else:
            found, chosen = architectures(space, arch, samples, seed)
            table = measure_space(found, chosen, on, blocks=blocks, folder=out, seed=seed, bar=bar)
    _print(table, out, json)
    if all(entry.failed for entry in table):
        raise ValueError(f"nothing could be measured: {next(iter(table)).reason}")


def _table_of_files(
    files: list[Path], on: Device, grain: str, folder: Path | None, seed: int, bar: Bar
) -> LatencyTable:
    """The files as whole networks, with their kernels where these are asked for."""
    if grain == "blocks":
        return measure_files(files, on, folder=folder, progress=shown_in(bar), seed=seed)
    from hwnas.network.from_onnx import from_onnx

    networks, names = [from_onnx(path) for path in files], [printable(path.name) for path in files]
    return measure_kernels(networks, on, folder=folder, progress=shown_in(bar), seed=seed, names=names)


def _table_of_kernels(
    space: str | None,
    arch: str | None,
    samples: int | None,
    on: Device,
    folder: Path | None,
    seed: int,
    bar: Bar,
) -> LatencyTable:
    """The kernels of the architectures of `--arch`, or of those that meet most kernels of the space."""
    found, chosen = architectures(space, arch, samples, seed)
    if arch is None:
        chosen = covering(found.sample(max(len(chosen), CANDIDATES), seed=seed), len(chosen))
    return measure_kernels(chosen, on, folder=folder, progress=shown_in(bar), seed=seed, space=str(found))


def measure_space(
    space: SearchSpace,
    chosen: list[Architecture],
    on: Device,
    *,
    blocks: str | None,
    folder: Path | None,
    seed: int,
    bar: Bar,
) -> LatencyTable:
    """Measure `chosen` and, where `blocks` is `all` or not said, every block that the space has."""
    return measure_networks(
        chosen,
        on,
        blocks=blocks_to_measure(space, blocks, seed),
        folder=folder,
        progress=shown_in(bar),
        seed=seed,
        space=str(space),
    )


def shown_in(bar: Bar) -> ProgressCallback:
    """A callback that shows the progress of a measurement in `bar`."""

    def show(progress: Progress) -> None:
        bar.update(progress.done, progress.total, progress.message)

    return show


def _time_files(files: list[Path], on: Device, json: bool) -> None:
    entries = {str(path): measure_onnx(path, on) for path in files}
    if json:
        from dataclasses import asdict

        print_json({name: asdict(entry) for name, entry in entries.items()})
        return
    rows = [
        [name, f"{e.latency_ms:.4f}", f"{e.p50_us / 1000:.4f}", f"{e.min_us / 1000:.4f}", " ".join(e.flags)]
        for name, e in entries.items()
    ]
    print_table(["file", "p10 ms", "median ms", "min ms", "flags"], rows)


def _print(table: LatencyTable, out: Path | None, json: bool) -> None:
    networks = [entry for entry in table.networks if not entry.failed]
    parts = [entry for entry in (*table.blocks, *table.kernels) if not entry.failed]
    failed = [entry for entry in table if entry.failed]
    unstable = [entry for entry in table if "unstable" in entry.flags]
    latencies = sorted(e.latency_ms for e in networks)
    content = {
        "table": str(out) if out else None,
        "table_id": table.table_id,
        "networks": len(networks),
        "blocks": len(table.blocks),
        "kernels": len(table.kernels),
        "failed": {e.name: e.reason for e in failed},
        "unstable": len(unstable),
        "latency_ms": {"min": latencies[0], "max": latencies[-1]} if latencies else None,
    }
    if json:
        print_json(content)
        return
    span = f"{latencies[0]:.3f} to {latencies[-1]:.3f} ms" if latencies else "none"
    kind = "kernels" if table.kernels else "blocks"
    console.print(
        f"{len(networks)} networks ({span}) and {len(parts)} {kind} measured, "
        f"{len(unstable)} unstable, {len(failed)} failed",
        markup=False,
    )
    for entry in failed:
        console.print(f"failed: {entry.name}: {entry.reason}", markup=False)
    if out:
        console.print(f"wrote {out}", markup=False)
