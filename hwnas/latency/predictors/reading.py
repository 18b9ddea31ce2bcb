"""Which layers a network holds and which of them are live, read block by block and remembered.

A block is a `Network` that many networks share, so it is read once, and a network costs a few
microseconds per block. The live layers are those of `hwnas.network.liveness.live_layers`, found without
flattening the network.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from hwnas.latency.predictors.layer_ids import layer_id
from hwnas.network.network import Block, Item, Layer, Network, Shape

Pattern = tuple[bool, ...]


class Reading(NamedTuple):
    """The layers of a network as packed identifiers (see `layer_ids`), four bytes each.

    Attributes:
        every: all layers.
        live: those that carry an input to an output.
        reached: of each output, whether it depends on a reached input.
        needed: of each input, whether a live layer or an output reads it.
        is_transparent: whether all of `reached` and `needed` are true.
    """

    every: bytes
    live: bytes
    reached: Pattern
    needed: Pattern
    is_transparent: bool


_WHOLE, _PARTIAL = "_hwnas_latency_reading", "_hwnas_latency_readings"


def read(network: Network) -> Reading:
    """All layers of `network` and the live ones.

    Remembered with the network object; a pickled network goes without, numbers being those of a process.
    """
    found: Reading | None = network.__dict__.get(_WHOLE)
    if found is None:
        found = network.__dict__[_WHOLE] = _read_chain(network) or _read_whole(network)
    return found


def identifier(layer: Layer, shapes: dict[str, Shape], network: Network) -> bytes:
    """The packed identifier of one layer of `network`, whose values have `shapes`."""
    return struct.pack("<i", layer_id(layer, shapes, network.own_parameters))


# --- the usual cases: every item carries the input on, though layers within its blocks may be dead


def _read_chain(network: Network) -> Reading | None:
    """The reading of transparent blocks one behind the other; None for anything else."""
    if len(network.inputs) != 1 or len(network.outputs) != 1:
        return None
    last = network.inputs[0].name
    readings = []
    for item in network.items:
        if not isinstance(item, Block) or len(item.inputs) != 1 or len(item.outputs) != 1:
            return None
        reading = read(item.network)
        if item.inputs[0] != last or not reading.is_transparent:
            return None
        readings.append(reading)
        last = item.outputs[0].name
    if last != network.outputs[0].name:
        return None
    return _transparent(network, [r.every for r in readings], [r.live for r in readings])


def _read_whole(network: Network) -> Reading:
    """The reading with all inputs reached and all outputs needed.

    No item is dead where each reads an activation, every input and every result is read, and each block
    is transparent.
    """
    every: list[bytes] = []
    live: list[bytes] = []
    shapes = dict(network.inputs)
    read_names = {name for name, _ in network.outputs}
    is_simple = True
    for item in network.items:
        if isinstance(item, Block):
            reading = read(item.network)
            is_simple = is_simple and reading.is_transparent and bool(item.inputs)
            every.append(reading.every)
            live.append(reading.live)
        else:
            is_simple = is_simple and not shapes.keys().isdisjoint(item.inputs)
            every.append(identifier(item, shapes, network))
            live.append(every[-1])
        read_names.update(item.inputs)
        shapes.update(item.outputs)
    if is_simple and shapes.keys() == read_names - network.own_parameters.keys() - {""}:
        return _transparent(network, every, live)
    return _read(network, (True,) * len(network.inputs), (True,) * len(network.outputs), every)


def _transparent(network: Network, every: list[bytes], live: list[bytes]) -> Reading:
    packed, packed_live = b"".join(every), b"".join(live)
    if len(packed) == len(packed_live):
        packed_live = packed
    inputs, outputs = (True,) * len(network.inputs), (True,) * len(network.outputs)
    return Reading(packed, packed_live, outputs, inputs, is_transparent=True)


# --- the general case: which inputs are reached and which outputs are needed


def read_part(network: Network, inputs: Pattern, outputs: Pattern) -> Reading:
    """The reading of `network` where only some inputs are reached and only some outputs are needed."""
    if False not in inputs and False not in outputs:
        return read(network)
    known: dict[tuple[Pattern, Pattern], Reading] = network.__dict__.setdefault(_PARTIAL, {})
    found = known.get((inputs, outputs))
    if found is None:
        found = known[inputs, outputs] = _read(network, inputs, outputs, _identifiers(network))
    return found


def _read(network: Network, inputs: Pattern, outputs: Pattern, every: list[bytes]) -> Reading:
    """The reading where only some inputs are reached, only some outputs are needed, or items are dead.

    `every` are the packed identifiers of each item's layers.
    """
    names = {name for (name, _), is_reached in zip(network.inputs, inputs, strict=True) if is_reached}
    for item in network.items:
        _spread(item, names)
    needed = {name for (name, _), is_needed in zip(network.outputs, outputs, strict=True) if is_needed}
    live: list[bytes] = []
    for item, identifier in zip(reversed(network.items), reversed(every), strict=True):
        if not needed.isdisjoint([name for name, _ in item.outputs]):
            live.append(_demand(item, identifier, names, needed))
    reached = tuple([name in names for name, _ in network.outputs])
    read_inputs = tuple([name in needed for name, _ in network.inputs])
    is_transparent = False not in reached and False not in read_inputs
    return Reading(b"".join(every), b"".join(live), reached, read_inputs, is_transparent)


def _identifiers(network: Network) -> list[bytes]:
    """The packed identifiers of each item's layers."""
    shapes = dict(network.inputs)
    found = []
    for item in network.items:
        found.append(
            identifier(item, shapes, network) if isinstance(item, Layer) else read(item.network).every
        )
        shapes.update(item.outputs)
    return found


def _spread(item: Item, names: set[str]) -> None:
    """Forward: add the outputs of `item` that depend on a reached value to `names`."""
    if names.isdisjoint(item.inputs):
        return
    reached: Pattern = (True,) * len(item.outputs)
    if isinstance(item, Block):
        pattern = tuple([name in names for name in item.inputs])
        reached = read_part(item.network, pattern, reached).reached
    names.update([name for (name, _), is_reached in zip(item.outputs, reached, strict=True) if is_reached])


def _demand(item: Item, identifier: bytes, names: set[str], needed: set[str]) -> bytes:
    """Backward: add what a needed `item` needs to `needed`; returns its live layers."""
    if names.isdisjoint(item.inputs):
        return b""
    if isinstance(item, Layer):
        needed.update(item.inputs)
        return identifier
    inputs = tuple([name in names for name in item.inputs])
    found = read_part(item.network, inputs, tuple([name in needed for name, _ in item.outputs]))
    needed.update([name for name, is_needed in zip(item.inputs, found.needed, strict=True) if is_needed])
    return found.live
