"""`hwnas count`: MACs, FLOPs, parameters and activations; memory of a microcontroller."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from hwnas.cli.memory import MemoryQuestion, memory_answer, print_memory
from hwnas.cli.options import Arch, Board, Flash, InputShape, Json, Space, Sram, refuse
from hwnas.cli.output import check_output, console, print_json, print_table
from hwnas.cli.targets import Target, target
from hwnas.cost import RUNTIMES, Counts, NetworkCounts, limits
from hwnas.cost import count as count_network
from hwnas.cost.flash import FORMATS


def count(
    file: Annotated[
        str | None, typer.Argument(help="net.onnx, net.tflite, or module:factory of a torch module.")
    ] = None,
    space: Space = None,
    arch: Arch = None,
    input_shape: InputShape = None,
    check: Annotated[
        bool, typer.Option("--check", help="Compare with fvcore, operator by operator.")
    ] = False,
    skip_unknown: Annotated[
        bool, typer.Option("--skip-unknown", help="Leave unknown operators out, and name them.")
    ] = False,
    runtime: Annotated[
        str | None,
        typer.Option(help="Plan SRAM and flash of the int8 network under this runtime of microcontrollers."),
    ] = None,
    board: Board = None,
    sram: Sram = None,
    flash: Flash = None,
    float_input: Annotated[
        bool, typer.Option("--float-input", help="The input is float32, quantised by the network itself.")
    ] = False,
    order: Annotated[
        bool, typer.Option("--order", help="Look for the order of execution that needs the least SRAM.")
    ] = False,
    patches: Annotated[
        bool, typer.Option("--patches", help="Look for the best execution in patches (MCUNetV2).")
    ] = False,
    picture: Annotated[Path | None, typer.Option(help="Draw the memory plan here: a .png file.")] = None,
    json: Json = False,
) -> None:
    """Count MACs, FLOPs (2 per MAC), parameters and activations for one sample; plan SRAM and flash."""
    found = target(file, space, arch, input_shape, skip_unknown=skip_unknown)
    counts = count_network(found.network)
    content = _content(found, counts)
    memory = None
    if runtime is not None:
        if picture is not None:
            check_output(picture, ".png", option="--picture")
        if runtime in RUNTIMES and runtime not in FORMATS:
            refuse({"flash": flash}, f"with --runtime {runtime}, which stores nothing")
        question = MemoryQuestion(runtime, limits(board, sram, flash), float_input, order, patches, picture)
        memory = memory_answer(found, question)
        content["memory"] = memory.content()
    else:
        given = {"board": board, "sram": sram, "flash": flash, "float-input": float_input}
        refuse({**given, "order": order, "patches": patches, "picture": picture}, "without --runtime")
    if check:
        content["fvcore"] = _check(found)
    if json:
        print_json(content)
        return
    print_table(["", "whole", "live"], _rows(counts.whole, counts.live), title=found.name)
    console.print(f"macs of: {_by_operator(counts.whole)}", markup=False)
    if content["dead_layers"]:
        console.print(f"dead layers: {', '.join(content['dead_layers'])}", markup=False)
    if found.excluded:
        console.print(f"left out, unknown: {', '.join(found.excluded)}", markup=False)
    if memory is not None:
        print_memory(memory)
    if check:
        console.print(f"fvcore: {content['fvcore'] or 'agrees on every operator it counts'}", markup=False)


def _content(found: Target, counts: NetworkCounts) -> dict[str, Any]:
    from hwnas.network.liveness import dead_layers

    return {
        "name": found.name,
        **_numbers(counts.whole),
        "live": _numbers(counts.live),
        "macs_by_operator": dict(counts.whole.macs_by_operator),
        "dead_layers": [layer.name for layer in dead_layers(found.network)],
        "excluded": list(found.excluded),
    }


def _numbers(counts: Counts) -> dict[str, int]:
    return {
        "macs": counts.macs,
        "flops": counts.flops,
        "params": counts.params,
        "activations": counts.activations,
        "elementwise": counts.elementwise,
    }


def _rows(whole: Counts, live: Counts) -> list[list[str]]:
    alive = _numbers(live)
    return [[name, f"{value:,}", f"{alive[name]:,}"] for name, value in _numbers(whole).items()]


def _by_operator(counts: Counts) -> str:
    return ", ".join(f"{op} {macs:,}" for op, macs in counts.macs_by_operator.items()) or "none"


def _check(found: Target) -> list[dict[str, Any]]:
    import torch

    from hwnas.cost.check import differences
    from hwnas.network.to_torch import to_torch

    network = found.network if found.module is not None else found.network.live
    module = found.module if found.module is not None else to_torch(network)
    example = torch.zeros(1, *network.inputs[0].shape)
    return [asdict(one) for one in differences(count_network(network).whole, module, example)]
