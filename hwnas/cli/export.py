"""`hwnas export`: a network as an ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hwnas.cli.options import Arch, Json, Out, Seed, Space
from hwnas.cli.output import check_output, console, print_json
from hwnas.cli.targets import target
from hwnas.files import write_whole


def export(
    out: Out,
    space: Space = None,
    arch: Arch = None,
    run: Annotated[Path | None, typer.Option(help="Export the answer of this run, with its weights.")] = None,
    batch: Annotated[str, typer.Option(help="Batch size of the model, or `free`.")] = "1",
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Write an architecture (random weights), or the answer of a search (trained weights), as ONNX."""
    check_output(out, ".onnx")
    if run is not None:
        _export_run(run, out, space, arch)
    else:
        from hwnas.network.to_onnx import to_onnx

        to_onnx(target(None, space, arch).network, out, batch=_batch(batch), seed=seed)
    if json:
        print_json({"onnx": str(out)})
    else:
        console.print(f"wrote {out}", markup=False)


def _export_run(run: Path, out: Path, space: str | None, arch: str | None) -> None:
    from hwnas import search

    if space or arch:
        raise ValueError("--run names the network already; give no --space and no --arch with it")
    best = search.load(run).best()
    if best.onnx is None:
        raise ValueError(f"run {run} has no finished network; run its search to the end")
    write_whole(out, best.onnx.read_bytes())


def _batch(text: str) -> int | None:
    if text == "free":
        return None
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"--batch must be a whole number of at least 1, or `free`, not {text!r}")
    return int(text)
