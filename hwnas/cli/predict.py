"""`hwnas predict`: latencies from a fitted predictor."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from hwnas.cli.data import resolve
from hwnas.cli.options import Arch, InputShape, Json, Seed, Space
from hwnas.cli.output import print_json, print_table
from hwnas.cli.targets import search_space, target

if TYPE_CHECKING:
    from hwnas.latency import FittedPredictor
    from hwnas.latency.instructions.predictor import InstructionPredictor
    from hwnas.latency.predictors.base import Floats
    from hwnas.network import Network
    from hwnas.network.program import Program


def predict(
    predictor: Annotated[
        str,
        typer.Argument(
            help="Predictor: a folder, a name of `hwnas list predictors`, or an instruction table and a "
            "board: cortex-m7-cmsisnn:stm32h743."
        ),
    ],
    file: Annotated[
        str | None, typer.Argument(help="net.onnx, net.tflite, or module:factory of a torch module.")
    ] = None,
    space: Space = None,
    arch: Arch = None,
    samples: Annotated[
        int, typer.Option(min=0, help="Predict this many random architectures of the space.")
    ] = 0,
    input_shape: InputShape = None,
    confidence: Annotated[
        float, typer.Option(help="Probability of the interval and of the upper bound that are stated.")
    ] = 0.9,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Predict latencies in milliseconds without measuring, with their intervals."""
    from hwnas.latency import FittedPredictor

    fitted, program = predictor_of(predictor), None
    if samples:
        if arch is not None or file is not None:
            raise ValueError("--samples draws from --space; give no file and no --arch with it")
        searched = search_space(space)
        if isinstance(fitted, FittedPredictor):
            fitted.check_space(str(searched))
        chosen = searched.sample(samples, seed=seed)
        names, networks = [str(a) for a in chosen], [a.network for a in chosen]
    else:
        found = target(file, space, arch, input_shape)
        names, networks, program = [found.name], [found.network], found.program
    columns = {"latency_ms": _latencies(fitted, networks, program)}
    if isinstance(fitted, FittedPredictor) and fitted.is_calibrated:
        low, high = fitted.interval(networks, confidence)
        columns |= {"low_ms": low, "high_ms": high, "upper_ms": fitted.upper(networks, confidence)}
    share = interpolated_share(fitted, networks)
    if share is not None:
        columns["interpolated"] = share
    rows = [[float(value) for value in row] for row in zip(*columns.values(), strict=True)]
    if json:
        print_json(
            [{"name": n, **dict(zip(columns, row, strict=True))} for n, row in zip(names, rows, strict=True)]
        )
        return
    percent = f"{100 * confidence:g} %"
    titles = {
        "latency_ms": "latency ms",
        "low_ms": f"{percent} from ms",
        "high_ms": "to ms",
        "upper_ms": f"{percent} below ms",
        "interpolated": "interpolated",
    }
    print_table(
        ["network", *(titles[column] for column in columns)],
        [[n, *(f"{value:.4f}" for value in row)] for n, row in zip(names, rows, strict=True)],
    )


def _latencies(
    fitted: FittedPredictor | InstructionPredictor, networks: Sequence[Network], program: Program | None
) -> Floats:
    """Latencies in milliseconds; of what a .tflite file itself executes, where the predictor counts that."""
    from hwnas.latency import InstructionPredictor

    if program is not None and isinstance(fitted, InstructionPredictor):
        return np.array([fitted.predict_program(program)])
    return fitted.predict(networks)


def interpolated_share(
    fitted: FittedPredictor | InstructionPredictor, networks: Sequence[Network]
) -> Floats | None:
    """Of each network's latency, the share whose parts were not measured; None where all must be."""
    from hwnas.latency import FittedPredictor
    from hwnas.latency.predictors import PartsPredictor

    parts = fitted.predictor if isinstance(fitted, FittedPredictor) else None
    if not isinstance(parts, PartsPredictor) or parts.neighbours is None:
        return None
    return parts.interpolated_share(networks)


def predictor_of(name: str) -> FittedPredictor | InstructionPredictor:
    """The predictor of a folder, or of `table:board`."""
    from hwnas.latency import FittedPredictor
    from hwnas.latency.instructions.predictor import board_predictor

    table, _, board = name.partition(":")
    if board and not Path(name).exists():
        return board_predictor(board, table)
    return FittedPredictor.load(resolve("predictors", name))
