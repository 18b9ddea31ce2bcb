"""Int8 files for `hwnas export`: quantised on images, checked by the runtime that will run them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hwnas.cli.export import RANDOM
from hwnas.cli.output import console, print_json, progress_bar, say
from hwnas.cost import Limits, plan
from hwnas.cost.flash import FORMATS, flash
from hwnas.files import write_whole
from hwnas.objectives import format_quantity

if TYPE_CHECKING:
    from hwnas.network import Network
    from hwnas.training import DataSet, Deployed


@dataclass(frozen=True)
class Deployment:
    """What to make int8, and for what.

    Attributes:
        source: an ONNX file with trained weights.
        name: what messages call it.
        is_trained: False where its weights are known to be random.
        data: the data set that it was trained on, by name or path.
        out: the file to write, `.tflite` or `.onnx`.
        runtime: that will run a .tflite file.
        limits: what that must keep to.
        float_input: whether it takes float32.
        seed: of the choice of images.
    """

    source: Path
    name: str
    is_trained: bool
    data: str
    out: Path
    runtime: str
    limits: Limits
    float_input: bool
    seed: int


def export_int8(asked: Deployment, *, json: bool) -> None:
    """Write the file and say what became of accuracy and memory.

    Raises:
        ValueError: TFLite Micro is missing, or the network does not fit the data, which is said before the
            work; or the file exceeds a limit: it is written all the same.
    """
    from hwnas.network.from_onnx import from_onnx, onnx_weights
    from hwnas.training import deploy_onnx, deploy_tflite

    is_tflite = asked.out.suffix == ".tflite"
    if is_tflite:
        _require_interpreter()
    if not asked.is_trained:
        say(RANDOM)
    network, weights = from_onnx(asked.source), onnx_weights(asked.source)
    data = _data(network, asked)
    memory: dict[str, Any] = {}
    if not is_tflite:
        made = deploy_onnx(network, weights, data, seed=asked.seed)
    else:
        with progress_bar("running the file") as bar:
            made = deploy_tflite(
                network,
                weights,
                data,
                float_input=asked.float_input,
                seed=asked.seed,
                progress=lambda done, total: bar.update(done, total, "running the file"),
            )
        memory = _memory(made, asked)
    write_whole(asked.out, made.model)
    content = {
        "file": str(asked.out),
        "bytes": len(made.model),
        "is_trained": asked.is_trained,
        "tested_images": made.tested,
        "test_images": len(data.test_labels),
        "accuracy": made.accuracy,
        "int8_accuracy": made.int8_accuracy,
        **memory,
    }
    if json:
        print_json(content)
    else:
        _print(content, asked.limits)
    _require_limits(content, asked.limits)


def _require_interpreter() -> None:
    from hwnas.training.tflite_accuracy import require_interpreter

    try:
        require_interpreter()
    except ImportError as error:
        raise ValueError(str(error)) from error


def _data(network: Network, asked: Deployment) -> DataSet:
    """The data set at the network's resolution; raises ValueError where the two do not fit each other."""
    from hwnas.training import load
    from hwnas.training.deploy import misfit, unfit

    if problem := unfit(network):
        raise ValueError(f"{asked.name} {problem}")
    data = load(asked.data, resolution=network.inputs[0].shape[-1])
    if problem := misfit(network, data):
        raise ValueError(f"{asked.name} {problem} in --data {asked.data}")
    return data


def _memory(made: Deployed, asked: Deployment) -> dict[str, Any]:
    """What TFLite Micro reports here, and what the plan says of the device."""
    from hwnas.network.tflite import read_tflite

    assert made.arena is not None
    program = read_tflite(made.model).program
    found = {
        "runtime": asked.runtime,
        "arena_here": asdict(made.arena),
        "sram_bytes": plan(program, asked.runtime).sram_bytes,
    }
    if asked.runtime not in FORMATS:
        return found
    flashed = flash(program, asked.runtime, tflite_bytes=len(made.model))
    return {**found, "flash_bytes": flashed.total_bytes}


def _print(content: dict[str, Any], limits: Limits) -> None:
    _line(f"wrote {content['file']}, {format_quantity(content['bytes'], 'bytes')}")
    tested, images = content["tested_images"], content["test_images"]
    of = "" if tested == images else f"{tested:,} of "
    _line(
        f"accuracy on {of}{images:,} test images: {100 * content['accuracy']:.2f} % in float32, "
        f"{100 * content['int8_accuracy']:.2f} % in int8"
    )
    if "arena_here" not in content:
        return
    arena = content["arena_here"]
    _line(
        f"TFLite Micro's interpreter here: head {arena['head_bytes']:,} bytes, "
        f"tail {arena['tail_bytes']:,} bytes (64-bit)"
    )
    needs = [f"SRAM {format_quantity(content['sram_bytes'], 'bytes')}"]
    if "flash_bytes" in content:
        needs.append(f"flash {format_quantity(content['flash_bytes'], 'bytes')}")
    _line(f"{content['runtime']} on the device: {', '.join(needs)}{_verdict(content, limits)}")


def _verdict(content: dict[str, Any], limits: Limits) -> str:
    """What is said of the limits where there are any."""
    if limits.sram_bytes is None and limits.flash_bytes is None:
        return ""
    return "; over the limits" if _exceeded(content, limits) else "; within the limits"


def _require_limits(content: dict[str, Any], limits: Limits) -> None:
    if exceeded := _exceeded(content, limits):
        raise ValueError(f"{content['file']} does not fit: {'; '.join(exceeded)}")


def _exceeded(content: dict[str, Any], limits: Limits) -> list[str]:
    pairs = (("sram_bytes", limits.sram_bytes), ("flash_bytes", limits.flash_bytes))
    return [
        f"{name.removesuffix('_bytes')} {format_quantity(content[name], 'bytes')} is over the limit of "
        f"{format_quantity(limit, 'bytes')}"
        for name, limit in pairs
        if limit is not None and content.get(name, 0) > limit
    ]


def _line(text: str) -> None:
    console.print(text, markup=False, soft_wrap=True)
