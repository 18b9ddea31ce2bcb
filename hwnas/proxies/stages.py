"""The feature maps after each stage of a network, for the proxies that look at them."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor, fx, nn

from hwnas.network.network import Block, Network
from hwnas.proxies.context import Context, Stages
from hwnas.proxies.result import Measurement

_EXAMPLE = "stages=lambda module, x: [x := module.stem(x), x := module.stage1(x), x := module.stage2(x)]"


def feature_maps(context: Context, module: nn.Module, inputs: Tensor) -> list[Tensor]:
    """Run a copy of the module on inputs (B, ...); return the map (B, channels, height, width) of each stage.

    The maps are those that `context.stages` returns. Without it they are the outputs of the top-level blocks
    of `context.network`, where the module is what `hwnas.network.to_torch` made of that network; a block that
    returns its input is no stage.

    Raises:
        ValueError: when neither gives stages, or they are no maps of the batch.
    """
    find = context.stages or _stages_of_network(context.network)
    maps = list(find(module, inputs))
    for number, one in enumerate(maps):
        if not isinstance(one, Tensor) or one.ndim != 4 or len(one) != len(inputs):
            found = tuple(one.shape) if isinstance(one, Tensor) else type(one).__name__
            raise ValueError(
                f"stages: stage {number} is {found}; "
                f"return a list of maps ({len(inputs)}, channels, height, width)"
            )
    return maps


def too_few(found: int, needed: int) -> Measurement:
    """What a proxy returns for a network of fewer stages than it compares."""
    return Measurement(math.nan, f"the network has {found} of the {needed} stages that are needed", found)


def stages_at(network: Network, names: Sequence[str]) -> Stages:
    """Stages by the names of the flat network's values, for a module that `to_torch` made of it.

    Raises:
        ValueError: when they are asked of a module that was not made of the network.
    """

    def run(module: nn.Module, inputs: Tensor) -> Sequence[Tensor]:
        nodes = _nodes_by_value(network, module)
        if nodes is None:
            raise ValueError(f"stages: the module is not what to_torch made of the network; pass {_EXAMPLE}")
        wanted = [nodes[name] for name in names]
        interpreter = _KeepResults(module, set(wanted))
        interpreter.run(inputs)
        return [interpreter.kept[node] for node in wanted]

    return run


def _stages_of_network(network: Network | None) -> Stages:
    if network is None:
        raise ValueError(
            "stages: the feature maps after each stage are needed; pass the network that to_torch made the "
            f"module of, or {_EXAMPLE}"
        )
    blocks = [item for item in network.items if isinstance(item, Block)]
    maps = tuple(value for block in blocks for value in block.outputs if len(value.shape) == 3)
    inputs = {value.name for value in network.inputs}
    names = dict.fromkeys(value.name for value in replace(network, outputs=maps).flat_outputs)
    return stages_at(network, [name for name in names if name not in inputs])


class _KeepResults(fx.Interpreter):
    """Runs a graph and keeps what the wanted nodes return."""

    def __init__(self, module: Any, wanted: set[fx.Node]) -> None:
        super().__init__(module)
        self.wanted = wanted
        self.kept: dict[fx.Node, Tensor] = {}

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        if n in self.wanted:
            self.kept[n] = result
        return result


def _nodes_by_value(network: Network, module: nn.Module) -> dict[str, fx.Node] | None:
    """Which node of the module's graph computes which value; None where it was not made of the network.

    `to_torch` writes one call for each layer, in their order, and one more for each output of a Split.
    """
    if not isinstance(module, fx.GraphModule):
        return None
    calls = [node for node in module.graph.nodes if node.op in ("call_module", "call_function")]
    found: dict[str, fx.Node] = {}
    for layer in network.layers:
        parts = 1 if len(layer.outputs) == 1 else 1 + len(layer.outputs)
        mine, calls = calls[:parts], calls[parts:]
        if len(mine) < parts or (mine[0].op == "call_module" and mine[0].target != layer.name):
            return None
        results = mine if parts == 1 else mine[1:]
        found.update({value.name: node for value, node in zip(layer.outputs, results, strict=True)})
    return None if calls else found
