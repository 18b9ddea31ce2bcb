"""`hwnas export`: a network as an ONNX or .tflite file."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from hwnas.cli.options import Arch, Board, Flash, Json, Out, Seed, Space, Sram, refuse, run_folder
from hwnas.cli.output import check_output, console, print_json
from hwnas.cli.targets import space_of_run, target
from hwnas.differentiable.pruning.record import PRUNING
from hwnas.differentiable.records import RECORD
from hwnas.files import write_whole

RANDOM = "the weights are random: the run trained nothing (search with --train-epochs)"


def export(
    out: Out,
    file: Annotated[
        Path | None, typer.Argument(help="An ONNX file with trained weights, to make int8.")
    ] = None,
    space: Space = None,
    arch: Arch = None,
    run: Annotated[
        Path | None,
        typer.Option(
            help="Export the answer of this run, with its weights; --space where it is your own.",
            parser=run_folder,
            metavar="<path>",
        ),
    ] = None,
    batch: Annotated[str | None, typer.Option(help="Batch size of an ONNX model, or `free`; 1.")] = None,
    int8: Annotated[
        bool, typer.Option("--int8", help="Quantise an ONNX file (a .tflite file always is).")
    ] = False,
    data: Annotated[
        str | None, typer.Option(help="Data set to calibrate and test int8 on: digits, a file, or a folder.")
    ] = None,
    runtime: Annotated[
        str | None, typer.Option(help="Runtime that a .tflite file is planned for; tflm by default.")
    ] = None,
    board: Board = None,
    sram: Sram = None,
    flash: Flash = None,
    float_input: Annotated[
        bool, typer.Option("--float-input", help="The .tflite file takes float32 and quantises it itself.")
    ] = False,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Write an architecture (random weights), or the answer of a search (trained weights), as a file.

    As .tflite, or as .onnx with --int8, it is quantised on --data and tested: a run's answer, or FILE.
    """
    check_output(out, ".onnx", ".tflite")
    on_tflite_only = {"runtime": runtime, "board": board, "sram": sram, "flash": flash}
    if out.suffix == ".onnx":
        refuse({**on_tflite_only, "float-input": float_input}, "on an .onnx file")
    if out.suffix == ".tflite" or int8:
        from hwnas.cli.export_int8 import Deployment, export_int8
        from hwnas.cost import limits
        from hwnas.cost.flash import FORMATS
        from hwnas.cost.memory import get_runtime

        refuse({"arch": arch, "batch": batch}, "on int8: give --run or a trained ONNX file")
        if data is None:
            raise ValueError("int8 needs --data to calibrate on: digits, a file, or a folder of images")
        runtime = get_runtime(runtime or "tflm").name
        if runtime not in FORMATS:
            refuse({"flash": flash}, f"with --runtime {runtime}, which stores nothing")
        with tempfile.TemporaryDirectory() as folder:
            source, name, is_trained = _trained(file, run, space, Path(folder) / "trained.onnx")
            export_int8(
                Deployment(
                    source,
                    name,
                    is_trained,
                    data,
                    out,
                    runtime,
                    limits(board, sram, flash),
                    float_input,
                    seed,
                ),
                json=json,
            )
        return
    refuse({"data": data}, "without --int8 or a .tflite file to write")
    if file is not None:
        raise ValueError(f"{file} is an ONNX file already; --int8 or --out net.tflite quantises it")
    if run is not None:
        refuse({"arch": arch}, "with --run, which names the network")
    size = _batch(batch or "1")
    is_random = run is not None and not _export_run(run, out, space, size)
    if run is None:
        from hwnas.network.to_onnx import to_onnx

        to_onnx(target(None, space, arch).network, out, batch=size, seed=seed)
    if json:
        print_json({"onnx": str(out)})
    else:
        console.print(f"wrote {out}", markup=False)
        if is_random:
            console.print(RANDOM, markup=False, soft_wrap=True)


def _trained(file: Path | None, run: Path | None, space: str | None, place: Path) -> tuple[Path, str, bool]:
    """The ONNX file to make int8, what to call it, and whether it is trained: `file`, or the answer of `run`.

    The answer is copied to `place`. A file's weights are taken to be trained.
    """
    if (file is None) == (run is None):
        raise ValueError("int8 needs trained weights: give either --run or an ONNX file")
    if file is not None:
        refuse({"space": space}, "with an ONNX file")
        return file, str(file), True
    assert run is not None
    return place, f"the answer of {run}", _export_run(run, place, space)


def _export_run(run: Path, out: Path, space: str | None, batch: int | None = 1) -> bool:
    """Write the answer of `run` as an ONNX file; gives whether it was trained, if only in a supernet."""
    is_derived = any((run / name).exists() for name in (RECORD, PRUNING))
    file, is_trained = _derived(run) if is_derived else _best(run, space)
    if file is None:
        raise ValueError(f"run {run} has no finished network; run its search to the end")
    if batch == 1:
        write_whole(out, file.read_bytes())
    else:
        _write_with_batch(file, out, batch)
    return is_trained


def _best(run: Path, space: str | None) -> tuple[Path | None, bool]:
    from hwnas import search

    record = search.load(run).record
    best = search.Run(run, record, space_of_run(record, space)).best()
    return best.onnx, record.config.get("training") is not None


def _derived(run: Path) -> tuple[Path | None, bool]:
    """Of a search by gradients, whose supernet is trained, or by pruning, whose is not."""
    from hwnas.search.derived import read_derived

    found = read_derived(run)
    if found is None or found.onnx is None:
        return None, False
    return run / found.onnx, (run / RECORD).exists() or "accuracy" in found.measured


def _write_with_batch(file: Path, out: Path, batch: int | None) -> None:
    from hwnas.network.from_onnx import from_onnx, onnx_weights
    from hwnas.network.to_onnx import to_onnx

    to_onnx(from_onnx(file), out, weights=onnx_weights(file), batch=batch)


def _batch(text: str) -> int | None:
    if text == "free":
        return None
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"--batch must be a whole number of at least 1, or `free`, not {text!r}")
    return int(text)
