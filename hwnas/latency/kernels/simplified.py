"""What onnxruntime leaves of a network before it fuses: nothing constant, and nothing twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hwnas.network.network import Layer, Network, Value


@dataclass(frozen=True)
class Simplified:
    """A network as a runtime sees it before fusing.

    Attributes:
        network: flat; values that do not depend on an input are inputs of it.
        done_by: layer that was left out as a repetition -> the layer whose result stands for its own.
    """

    network: Network
    done_by: Mapping[str, str]


def simplified(network: Network) -> Simplified:
    """The layers of `network`, without repeated layers and without what can be computed beforehand.

    Two layers are one where operator, attributes and inputs are the same (common-subexpression
    elimination). Layers that no input reaches are folded into constants, which stand as further inputs
    here. A Dropout passes its input on. Layers whose result nothing reads stay: onnxruntime executes them.
    """
    stands_for: dict[str, str] = {}
    seen: dict[tuple[Any, ...], Layer] = {}
    done_by: dict[str, str] = {}
    folded: dict[str, Value] = {}
    reached = {value.name for value in network.inputs}
    layers: list[Layer] = []
    for layer in network.layers:
        inputs = tuple([stands_for.get(name, name) for name in layer.inputs])
        signature = (layer.op, inputs, tuple(layer.attributes.items()))
        if reached.isdisjoint(inputs):
            folded.update((value.name, value) for value in layer.outputs)
        elif layer.op == "Dropout":
            stands_for[layer.output.name] = inputs[0]
        elif first := seen.get(signature):
            done_by[layer.name] = first.name
            pairs = zip(layer.outputs, first.outputs, strict=True)
            stands_for.update((value.name, kept.name) for value, kept in pairs)
        else:
            reached.update([value.name for value in layer.outputs])
            seen[signature] = layer
            layers.append(layer if inputs == layer.inputs else layer._replace(inputs=inputs))
    outputs = tuple(Value(stands_for.get(name, name), shape) for name, shape in network.flat_outputs)
    sources = (*network.inputs, *folded.values())
    return Simplified(Network(sources, outputs, tuple(layers), network.parameters), done_by)
