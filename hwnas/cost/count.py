"""MACs, FLOPs, parameters and activations of a network, whole and over its live layers.

A block is counted once for each distinct network, however often and by however many networks it is
called.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from hwnas.cost.formulas import LayerCost, layer_cost
from hwnas.network.liveness import Mask, live_items
from hwnas.network.network import Block, Layer, Network, Parameter, Shape
from hwnas.network.program.program import Program


class _Part(NamedTuple):
    """The operator of a layer, its cost, and the parameters that it reads."""

    op: str
    cost: LayerCost
    reads: tuple[str, ...]


@dataclass(frozen=True)
class Counts:
    """What a network needs for one sample.

    Attributes:
        macs: multiply-accumulates of convolutions and matrix products.
        params: trainable parameters; shared ones count once.
        activations: output elements of convolutions and matrix products (Radosavovic et al., "Designing
            Network Design Spaces", 2020).
        elementwise: all other arithmetic operations (see `hwnas.cost.formulas`).
        layers: (operator, cost) of the layers that stand in no block.
        blocks: counts of the blocks.
    """

    macs: int = 0
    params: int = 0
    activations: int = 0
    elementwise: int = 0
    layers: tuple[tuple[str, LayerCost], ...] = ()
    blocks: tuple[Counts, ...] = ()

    @property
    def flops(self) -> int:
        """Floating-point operations: 2 per MAC."""
        return 2 * self.macs

    @cached_property
    def macs_by_operator(self) -> Counter[str]:
        """MACs by ONNX operator."""
        total = Counter[str]()
        for op, cost in self.layers:
            if cost.macs:
                total[op] += cost.macs
        for block in self.blocks:
            total.update(block.macs_by_operator)
        return total

    @cached_property
    def elementwise_by_operator(self) -> Counter[str]:
        """The other operations by ONNX operator."""
        total = Counter[str]()
        for op, cost in self.layers:
            if cost.elementwise:
                total[op] += cost.elementwise
        for block in self.blocks:
            total.update(block.elementwise_by_operator)
        return total

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.macs + other.macs,
            self.params + other.params,
            self.activations + other.activations,
            self.elementwise + other.elementwise,
            blocks=(self, other),
        )


@dataclass(frozen=True)
class NetworkCounts:
    """Counts of a network as written and over the layers that carry its input to its output.

    Attributes:
        network: what is counted.
        program: what a runtime for microcontrollers executes, where a file says so; otherwise what the
            network is lowered to.
        tflite_bytes: size of that file, which is what TFLite Micro stores.
    """

    network: Network
    program: Program | None = None
    tflite_bytes: int | None = None

    @cached_property
    def whole(self) -> Counts:
        """Every layer and parameter."""
        return _whole(self.network)

    @cached_property
    def live(self) -> Counts:
        """Live layers and their parameters only."""
        return _live(self.network, None, None)

    def peak_sram_bytes(self, runtime: str) -> int:
        """SRAM for one int8 inference under `runtime`, its margin included; see `hwnas.cost.memory.plan`."""
        from hwnas.cost.memory.peak import peak_sram_bytes
        from hwnas.cost.memory.plan import plan

        if self.program is not None:
            return plan(self.program, runtime).sram_bytes
        return peak_sram_bytes(self.network, runtime)

    def flash_bytes(self, runtime: str) -> int:
        """Flash of the int8 network and the code of `runtime`; see `hwnas.cost.flash.flash`."""
        from hwnas.cost.flash import flash

        source = self.program or self.network
        return flash(source, runtime, tflite_bytes=self.tflite_bytes).total_bytes


def count(network: Network, program: Program | None = None, tflite_bytes: int | None = None) -> NetworkCounts:
    """MACs, FLOPs, parameters and activations of `network`, for one sample; and its memory."""
    return NetworkCounts(network, program, tflite_bytes)


_WHOLE, _LIVE, _PARTS = "_hwnas_counts", "_hwnas_live_counts", "_hwnas_layer_costs"


def _whole(network: Network) -> Counts:
    found: Counts | None = network.__dict__.get(_WHOLE)
    if found is None:
        blocks = [_whole(item.network) for item in network.items if isinstance(item, Block)]
        found = _sum(_parts(network).values(), blocks, network.own_parameters.values())
        network.__dict__[_WHOLE] = found
    return found


def _live(network: Network, reached: Mask | None, wanted: Mask | None) -> Counts:
    known: dict[tuple[Mask | None, Mask | None], Counts] = network.__dict__.setdefault(_LIVE, {})
    found = known.get((reached, wanted))
    if found is None:
        live = live_items(network, reached, wanted).items
        blocks = [_live(i.item.network, i.reached, i.wanted) for i in live if isinstance(i.item, Block)]
        costs = _parts(network)
        parts = [costs[i.item.name] for i in live if isinstance(i.item, Layer)]
        read = {name for part in parts for name in part.reads}
        found = _sum(parts, blocks, [p for name, p in network.own_parameters.items() if name in read])
        known[reached, wanted] = found
    return found


def _sum(parts: Iterable[_Part], blocks: list[Counts], parameters: Iterable[Parameter]) -> Counts:
    macs, activations, elementwise = 0, 0, 0
    params = sum([parameter.size for parameter in parameters if parameter.trainable])
    layers = tuple([(part.op, part.cost) for part in parts])
    for _, cost in layers:
        macs += cost.macs
        activations += cost.activations
        elementwise += cost.elementwise
    for block in blocks:
        macs += block.macs
        params += block.params
        activations += block.activations
        elementwise += block.elementwise
    return Counts(macs, params, activations, elementwise, layers, tuple(blocks))


def _parts(network: Network) -> Mapping[str, _Part]:
    """The layers that stand in `network` itself, by name."""
    found: dict[str, _Part] | None = network.__dict__.get(_PARTS)
    if found is None:
        found = {}
        shapes: dict[str, Shape] = {value.name: value.shape for value in network.inputs}
        shapes.update((name, parameter.shape) for name, parameter in network.own_parameters.items())
        for item in network.items:
            if isinstance(item, Layer):
                reads = tuple([name for name in item.inputs if name in network.own_parameters])
                cost = layer_cost(item, [shapes[name] for name in item.inputs if name])
                found[item.name] = _Part(item.op, cost, reads)
            shapes.update(item.outputs)
        network.__dict__[_PARTS] = found
    return found
