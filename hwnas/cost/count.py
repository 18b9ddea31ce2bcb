"""MACs, FLOPs, parameters and activations of a network, whole and over its live layers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property

from hwnas.cost.formulas import layer_cost
from hwnas.network.liveness import live_layers
from hwnas.network.network import Block, Item, Network, Parameter, Shape, Value


@dataclass(frozen=True)
class Counts:
    """What a network needs for one sample.

    Attributes:
        macs: multiply-accumulates of convolutions and matrix products.
        params: trainable parameters; shared ones count once.
        activations: output elements of convolutions and matrix products (Radosavovic et al., "Designing
            Network Design Spaces", 2020).
        elementwise: all other arithmetic operations (see `hwnas.cost.formulas`).
        macs_by_operator: MACs and other operations by ONNX operator.
        elementwise_by_operator: the other operations likewise.
    """

    macs: int = 0
    params: int = 0
    activations: int = 0
    elementwise: int = 0
    macs_by_operator: Counter[str] = field(default_factory=Counter)
    elementwise_by_operator: Counter[str] = field(default_factory=Counter)

    @property
    def flops(self) -> int:
        """Floating-point operations: 2 per MAC."""
        return 2 * self.macs

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.macs + other.macs,
            self.params + other.params,
            self.activations + other.activations,
            self.elementwise + other.elementwise,
            self.macs_by_operator + other.macs_by_operator,
            self.elementwise_by_operator + other.elementwise_by_operator,
        )


@dataclass(frozen=True)
class NetworkCounts:
    """Counts of a network as written and over the layers that carry its input to its output."""

    network: Network

    @cached_property
    def whole(self) -> Counts:
        """Every layer and parameter."""
        return _whole(self.network)

    @cached_property
    def live(self) -> Counts:
        """Live layers and their parameters only."""
        live = live_layers(self.network)
        layers = [layer for layer in self.network.layers if layer.name in live]
        if len(layers) == len(self.network.layers):
            return self.whole
        used = {name for layer in layers for name in layer.inputs}
        parameters = {name: p for name, p in self.network.parameters.items() if name in used}
        return _flat(layers, dict(self.network.values), parameters)


def count(network: Network) -> NetworkCounts:
    """MACs, FLOPs, parameters and activations of `network`, for one sample."""
    return NetworkCounts(network)


_CACHE = "_hwnas_counts"


def _whole(network: Network) -> Counts:
    """Blocks are counted once for each distinct network, however often they are called."""
    found: Counts | None = network.__dict__.get(_CACHE)
    if found is None:
        values = {value.name: value for value in network.inputs}
        for item in network.items:
            values.update((value.name, value) for value in item.outputs)
        found = _flat(network.items, values, network.own_parameters)
        network.__dict__[_CACHE] = found
    return found


def _flat(
    items: tuple[Item, ...] | list[Item], values: dict[str, Value], parameters: dict[str, Parameter]
) -> Counts:
    macs, activations, elementwise = 0, 0, 0
    params = sum(parameter.size for parameter in parameters.values() if parameter.trainable)
    macs_by, elementwise_by = Counter[str](), Counter[str]()
    for item in items:
        if isinstance(item, Block):
            inner = _whole(item.network)
            macs, params = macs + inner.macs, params + inner.params
            activations, elementwise = activations + inner.activations, elementwise + inner.elementwise
            macs_by.update(inner.macs_by_operator)
            elementwise_by.update(inner.elementwise_by_operator)
            continue
        cost = layer_cost(item, [_shape(name, values, parameters) for name in item.inputs if name])
        macs, activations = macs + cost.macs, activations + cost.activations
        elementwise += cost.elementwise
        if cost.macs:
            macs_by[item.op] += cost.macs
        if cost.elementwise:
            elementwise_by[item.op] += cost.elementwise
    return Counts(macs, params, activations, elementwise, macs_by, elementwise_by)


def _shape(name: str, values: dict[str, Value], parameters: dict[str, Parameter]) -> Shape:
    return values[name].shape if name in values else parameters[name].shape
