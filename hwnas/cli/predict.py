"""`hwnas predict`: latencies from a fitted predictor."""

from __future__ import annotations

from typing import Annotated

import typer

from hwnas.cli.data import resolve
from hwnas.cli.options import Arch, InputShape, Json, Seed, Space
from hwnas.cli.output import print_json, print_table
from hwnas.cli.targets import search_space, target


def predict(
    predictor: Annotated[
        str, typer.Argument(help="Predictor: a folder, or a name of `hwnas list predictors`.")
    ],
    file: Annotated[str | None, typer.Argument(help="net.onnx, or module:factory of a torch module.")] = None,
    space: Space = None,
    arch: Arch = None,
    samples: Annotated[
        int, typer.Option(min=0, help="Predict this many random architectures of the space.")
    ] = 0,
    input_shape: InputShape = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Predict latencies in milliseconds without measuring."""
    from hwnas.latency import FittedPredictor

    fitted = FittedPredictor.load(resolve("predictors", predictor))
    if samples:
        if arch is not None or file is not None:
            raise ValueError("--samples draws from --space; give no file and no --arch with it")
        chosen = search_space(space).sample(samples, seed=seed)
        names, networks = [str(a) for a in chosen], [a.network for a in chosen]
    else:
        found = target(file, space, arch, input_shape)
        names, networks = [found.name], [found.network]
    latencies = [float(value) for value in fitted.predict(networks)]
    if json:
        print_json([{"name": n, "latency_ms": v} for n, v in zip(names, latencies, strict=True)])
        return
    print_table(["network", "latency ms"], [[n, f"{v:.4f}"] for n, v in zip(names, latencies, strict=True)])
