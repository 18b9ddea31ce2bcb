"""The form in which an untrained network is scored: no zeros, no dead layers, sums of any number of terms."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace

from hwnas.network.canonical import canonical_network
from hwnas.network.network import Block, Layer, Network, Value

_KEEPS_ZERO = frozenset(
    {
        "AveragePool", "BatchNormalization", "Concat", "Flatten", "GlobalAveragePool", "HardSwish",
        "Identity", "LeakyRelu", "MaxPool", "Relu", "Reshape", "Slice", "Transpose",
    }
)  # fmt: skip


@dataclass(frozen=True)
class UntrainedForm:
    """What untrained modules are made of.

    Attributes:
        network: flat, in canonical order; see `untrained_form`.
        stages: names of live feature maps (channels, height, width), in order: what the top-level blocks of
            the original gave (a block that passes its input on repeats it); where it has fewer than two
            such blocks, the last map of each resolution.
    """

    network: Network
    stages: tuple[str, ...]

    @property
    def key(self) -> str:
        """Equal for networks whose untrained modules cannot be told apart."""
        return self.network.key


def untrained_form(network: Network) -> UntrainedForm:
    """The form that stands for all networks that an untrained module of `network` cannot be told from.

    Left out is what is zero as torch initialises it, and what is dead. A constant zero stays zero through
    convolutions and linear layers without bias, batch normalisation (its bias starts at 0), pooling and
    ReLUs; where it is added, the other term stands alone. Chains of additions become one `Sum`, in which
    the order of the terms does not matter. The layers stand in canonical order, so that isomorphic networks
    draw the same initial weights from one seed.

    Raises:
        ValueError: the network is too symmetric for a canonical order.
    """
    connected, stands_for = _without_zeros(network)
    stages = tuple(stands_for.get(name, name) for name in _stage_outputs(network))
    form = canonical_network(_with_sums(connected.live, frozenset(stages)))
    return UntrainedForm(form, tuple(name for name in stages if name in form.values))


def _stage_outputs(network: Network) -> list[str]:
    blocks = [item for item in network.items if isinstance(item, Block)]
    maps = tuple(value for block in blocks for value in block.outputs if len(value.shape) == 3)
    if len(maps) >= 2:
        return [value.name for value in replace(network, outputs=maps).flat_outputs]
    live = [layer.output for layer in network.live.layers if len(layer.output.shape) == 3]
    last = {value.shape[1:]: value.name for value in live if min(value.shape[1:]) > 1}
    return list(last.values())


def is_disconnected(network: Network) -> bool:
    """Whether no output depends on an input through a layer."""
    inputs = {value.name for value in network.inputs}
    return not any(inputs & set(layer.inputs) for layer in network.live.layers)


def _without_zeros(network: Network) -> tuple[Network, dict[str, str]]:
    """The flat network without additions of zero, and which value stands for each result of one."""
    zeros: set[str] = set()
    stands_for: dict[str, str] = {}
    layers = []
    for layer in network.layers:
        inputs = tuple(stands_for.get(name, name) for name in layer.inputs)
        if _is_zero(layer, inputs, zeros, network):
            zeros.update(value.name for value in layer.outputs)
        elif layer.op == "Add" and (other := _other_term(layer, inputs, zeros, network)):
            stands_for[layer.output.name] = other
            continue
        layers.append(layer._replace(inputs=inputs))
    outputs = tuple(Value(stands_for.get(name, name), shape) for name, shape in network.flat_outputs)
    return Network(network.inputs, outputs, tuple(layers), network.parameters), stands_for


def _is_zero(layer: Layer, inputs: tuple[str, ...], zeros: set[str], network: Network) -> bool:
    if layer.op == "ConstantOfShape":
        return float(str(layer.attributes["value"])) == 0
    values = [name for name in inputs if name and name not in network.parameters]
    if layer.op == "Mul":
        return bool(zeros & set(values))
    if not values or not zeros.issuperset(values):
        return False
    if layer.op in ("Conv", "Gemm"):
        has_bias = len([name for name in inputs if name]) > 2
        return not has_bias
    if layer.op == "Clip":
        low, high = layer.attributes.get("min", -math.inf), layer.attributes.get("max", math.inf)
        return float(str(low)) <= 0 <= float(str(high))
    if layer.op == "Add":
        return len(values) == len(inputs)
    return layer.op in _KEEPS_ZERO


def _other_term(layer: Layer, inputs: tuple[str, ...], zeros: set[str], network: Network) -> str | None:
    """The term of a sum whose other term is zero and does not broadcast it."""
    left = [name for name in inputs if name not in zeros]
    if len(left) != 1 or left[0] in network.parameters:
        return None
    return left[0] if network.values[left[0]].shape == layer.output.shape else None


def _with_sums(network: Network, kept: frozenset[str]) -> Network:
    """Additions of equal shapes that only one further addition reads, joined with it unless `kept`."""
    uses = Counter(name for layer in network.layers for name in layer.inputs)
    uses.update(value.name for value in network.flat_outputs)
    terms: dict[str, tuple[str, ...]] = {}
    layers: list[Layer] = []
    for layer in network.layers:
        if layer.op != "Add" or not _adds_alike(layer, network):
            layers.append(layer)
            continue
        joined = [term for name in layer.inputs for term in terms.get(name, (name,))]
        if uses[layer.output.name] == 1 and layer.output.name not in kept:
            terms[layer.output.name] = tuple(joined)
        layers.append(layer._replace(op="Sum", inputs=tuple(joined)))
    return Network(network.inputs, network.flat_outputs, tuple(layers), network.parameters).live


def _adds_alike(layer: Layer, network: Network) -> bool:
    shapes = {network.values[name].shape if name in network.values else None for name in layer.inputs}
    return shapes == {layer.output.shape}
