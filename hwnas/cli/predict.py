"""`hwnas predict`: latencies from a fitted predictor."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from hwnas.cli.accelerators import accelerator_of, print_estimates
from hwnas.cli.data import found_in, resolve
from hwnas.cli.options import Arch, InputShape, Json, Seed, Space, refuse
from hwnas.cli.output import print_json, print_table, say
from hwnas.cli.targets import Target, search_space, target

if TYPE_CHECKING:
    from hwnas.latency import FittedPredictor
    from hwnas.latency.instructions.predictor import InstructionPredictor
    from hwnas.latency.predictors.base import Floats
    from hwnas.network import Network

CONFIDENCE = 0.9


def predict(
    predictor: Annotated[
        str,
        typer.Argument(
            help="Predictor: a folder, a name of `hwnas list predictors`, an instruction table and a board "
            "(cortex-m7-cmsisnn:stm32h743), or an accelerator of Arm's compiler (vela-ethos-u55-128)."
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
        float | None,
        typer.Option(
            help="Probability of the interval and of the upper bound that are stated; 0.9 by default."
        ),
    ] = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Predict latencies in milliseconds without measuring, with their intervals."""
    from hwnas.latency import FittedPredictor

    targets = _targets(file, space, arch, samples, input_shape, seed)
    without_intervals = f"with {predictor}, which states no intervals"
    if (accelerator := accelerator_of(predictor)) is not None:
        refuse({"confidence": confidence}, without_intervals)
        print_estimates(accelerator, targets, json)
        return
    fitted = predictor_of(predictor)
    if samples and isinstance(fitted, FittedPredictor):
        fitted.check_space(str(search_space(space)))
    networks = [one.network for one in targets]
    columns = {"latency_ms": _latencies(fitted, targets)}
    if isinstance(fitted, FittedPredictor) and fitted.is_calibrated:
        confidence = CONFIDENCE if confidence is None else confidence
        low, high = fitted.interval(networks, confidence)
        columns |= {"low_ms": low, "high_ms": high, "upper_ms": fitted.upper(networks, confidence)}
        percent = f"{100 * confidence:g} %"
    else:
        refuse({"confidence": confidence}, without_intervals)
        percent = ""
    share = interpolated_share(fitted, networks)
    if share is not None:
        columns["interpolated"] = share
    rows = [[float(value) for value in row] for row in zip(*columns.values(), strict=True)]
    if json:
        print_json(
            [
                {"name": one.name, **dict(zip(columns, row, strict=True))}
                for one, row in zip(targets, rows, strict=True)
            ]
        )
        return
    titles = {
        "latency_ms": "latency ms",
        "low_ms": f"{percent} from ms",
        "high_ms": "to ms",
        "upper_ms": f"{percent} below ms",
        "interpolated": "interpolated",
    }
    print_table(
        ["network", *(titles[column] for column in columns)],
        [[one.name, *(f"{v:.4f}" for v in row)] for one, row in zip(targets, rows, strict=True)],
    )


def _targets(
    file: str | None,
    space: str | None,
    arch: str | None,
    samples: int,
    input_shape: str | None,
    seed: int,
) -> list[Target]:
    """The networks that are asked for; raises ValueError for one without operators."""
    if not samples:
        found = [target(file, space, arch, input_shape)]
    elif arch is not None or file is not None:
        raise ValueError("--samples draws from --space; give no file and no --arch with it")
    else:
        found = [Target(str(one), one.network) for one in search_space(space).sample(samples, seed=seed)]
    for one in found:
        if not (one.network.layers if one.program is None else one.program.operators):
            raise ValueError(f"{one.name} computes nothing: it has no operators")
    return found


def _latencies(fitted: FittedPredictor | InstructionPredictor, targets: Sequence[Target]) -> Floats:
    """Latencies in milliseconds; of what a .tflite file itself executes, where the predictor counts that."""
    from hwnas.latency import InstructionPredictor

    if isinstance(fitted, InstructionPredictor) and targets[0].program is not None:
        found = np.array([fitted.predict_program(targets[0].program)])
    else:
        found = fitted.predict([one.network for one in targets])
    for one, latency_ms in zip(targets, found, strict=True):
        if latency_ms <= 0:
            raise ValueError(f"{one.name} computes nothing: no operator of it is executed")
    return found


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
    """The predictor of a folder, or of `table:board`; it is said where the board's constant is estimated."""
    from hwnas.latency import FittedPredictor, devices
    from hwnas.latency.devices.registry import named
    from hwnas.latency.instructions.predictor import board_predictor
    from hwnas.latency.instructions.shipped import CORTEX_M7

    table, separator, board = name.partition(":")
    if Path(name).exists() or name in found_in("predictors") or not (separator or name in devices()):
        return FittedPredictor.load(resolve("predictors", name))
    kind = named(name)[0]
    if kind in devices() and kind != CORTEX_M7:
        raise ValueError(
            f"{name} is a device, not a predictor: measure a table with `hwnas measure --device {name}` and "
            "fit a predictor on it with `hwnas fit`"
        )
    found = board_predictor(board, table)
    if found.board is not None and found.board.is_estimated:
        say(
            f"{name}: the board's constant is derived from other boards', not from published latencies; "
            "expect errors of 10 to 20 %"
        )
    return found
