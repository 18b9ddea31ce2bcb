"""`hwnas count`: MACs, FLOPs, parameters and activations."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from hwnas.cli.options import Arch, InputShape, Json, Space
from hwnas.cli.output import console, print_json, print_table
from hwnas.cli.targets import Target, target
from hwnas.cost import Counts, NetworkCounts
from hwnas.cost import count as count_network


def count(
    file: Annotated[str | None, typer.Argument(help="net.onnx, or module:factory of a torch module.")] = None,
    space: Space = None,
    arch: Arch = None,
    input_shape: InputShape = None,
    check: Annotated[
        bool, typer.Option("--check", help="Compare with fvcore, operator by operator.")
    ] = False,
    skip_unknown: Annotated[
        bool, typer.Option("--skip-unknown", help="Leave unknown operators out, and name them.")
    ] = False,
    json: Json = False,
) -> None:
    """Count MACs, FLOPs (2 per MAC), parameters and activations for one sample."""
    found = target(file, space, arch, input_shape, skip_unknown=skip_unknown)
    counts = count_network(found.network)
    content = _content(found, counts)
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
