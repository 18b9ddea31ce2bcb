"""`hwnas train`: train one architecture and keep it as ONNX."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hwnas.cli.options import Arch, Json, Seed, Space
from hwnas.cli.output import check_output, console, print_json, progress_bar
from hwnas.cli.targets import target


def train(
    space: Space = None,
    arch: Arch = None,
    data: Annotated[
        str, typer.Option(help="digits, an .npz or .parquet file, or a folder of images.")
    ] = "digits",
    epochs: Annotated[int, typer.Option(help="Passes over the training images.")] = 10,
    batch_size: Annotated[int, typer.Option(help="Images in a step.")] = 64,
    lr: Annotated[float, typer.Option(help="Highest learning rate.")] = 0.05,
    label_smoothing: Annotated[float, typer.Option(help="Probability spread over all classes.")] = 0.0,
    limit: Annotated[int | None, typer.Option(help="Use only this many images.")] = None,
    out: Annotated[Path | None, typer.Option(help="ONNX file for the trained network.")] = None,
    threads: Annotated[int, typer.Option(min=1, help="Processor threads.")] = 1,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Train an architecture and state its accuracy on held-out images."""
    import torch

    from hwnas.network.to_onnx import to_onnx
    from hwnas.network.to_torch import to_torch
    from hwnas.training import Progress, TrainingSettings, load
    from hwnas.training import train as train_module

    if out is not None:
        check_output(out, ".onnx")
    network = target(None, space, arch).network
    settings = TrainingSettings(
        epochs=epochs,
        batch_size=batch_size,
        lr=lr,
        label_smoothing=label_smoothing,
        seed=seed,
        threads=threads,
    )
    images = load(data, resolution=network.inputs[0].shape[-1], limit=limit, seed=seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = to_torch(network)
    with progress_bar("training") as bar:

        def show(step: Progress) -> None:
            bar.update(step.step, step.steps, f"epoch {step.epoch}/{step.epochs}, loss {step.loss:.3f}")

        result = train_module(module, images, settings, progress=show)
    if out is not None:
        to_onnx(network, out, weights=module)
    if json:
        content = {"accuracy": result.accuracy, "accuracies": result.accuracies, "losses": result.losses}
        print_json({**content, "seconds": result.seconds, "onnx": str(out) if out else None})
        return
    console.print(
        f"test accuracy {100 * result.accuracy:.2f} % after {epochs} epochs, {result.seconds:.0f} s"
    )
    if out is not None:
        console.print(f"wrote {out}", markup=False)
