"""Which layers a network holds and which of them are live, read block by block and remembered.

A block is a `Network` that many networks share, so it is read once, and a network costs a few
microseconds. The live layers are those of `hwnas.network.liveness.live_layers`, found without
flattening the network.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from itertools import compress
from typing import NamedTuple

from hwnas.latency.predictors.layer_ids import layer_id
from hwnas.network.assembly import Filled, Joined
from hwnas.network.network import Block, Item, Layer, Network, Shape, Value

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
_OUTLINE = "_hwnas_latency_outline"


def read(network: Network) -> Reading:
    """All layers of `network` and the live ones.

    Remembered with the network object; a pickled network goes without, numbers being those of a process.
    """
    found: Reading | None = network.__dict__.get(_WHOLE)
    if found is None:
        found = _read_blocks(network)
        if found is None:
            found = _read(network, _names(network.inputs), _names(network.outputs))
        network.__dict__[_WHOLE] = found
    return found


def identifier(layer: Layer, shapes: Mapping[str, Shape], network: Network) -> bytes:
    """The packed identifier of one layer of `network`, whose values have `shapes`."""
    return struct.pack("<i", layer_id(layer, shapes, network.own_parameters))


def _parts(network: Network) -> tuple[Item, ...]:
    """The items of `network`, or what is known of them together."""
    return network.parts if isinstance(network, Joined) and network.parts else network.items


def _names(values: Iterable[Value]) -> list[str]:
    return [name for name, _ in values]


class _Outline(NamedTuple):
    """The blocks of a network, those that are live, and the names of the values that are read."""

    every: list[Network]
    live: list[Network]
    needed: set[str]


def _read_blocks(network: Network) -> Reading | None:
    """The reading where all items are transparent blocks of one output, as in most networks; else None."""
    filled: Mapping[Network, Network] = {}
    if isinstance(network, Filled) and network.skeleton is not None:
        outline, filled = _skeleton_outline(network.skeleton), network.filled
    else:
        outline = _outline(network)
    if outline is None:
        return None
    new = {block: read(taking) for block, taking in filled.items()}
    if not all(reading.is_transparent for reading in new.values()):
        return None
    every = [(new.get(block) or read(block)).every for block in outline.every]
    live = [(new.get(block) or read(block)).live for block in outline.live]
    return _reading(network, every, live, (True,) * len(network.outputs), outline.needed)


def _skeleton_outline(skeleton: Network) -> _Outline | None:
    """The outline of a skeleton, remembered: the same whichever transparent blocks take others' places."""
    if _OUTLINE not in skeleton.__dict__:
        skeleton.__dict__[_OUTLINE] = _outline(skeleton)
    found: _Outline | None = skeleton.__dict__[_OUTLINE]
    return found


def _outline(network: Network) -> _Outline | None:
    """What is live among transparent blocks: all depends on the inputs, so what is needed tells."""
    needed = {name for name, _ in network.outputs}
    every, live = [], []
    for item in reversed(_parts(network)):
        if type(item) is not Block:
            return None
        _, block, inputs, outputs = item
        if not read(block).is_transparent or not inputs or len(outputs) != 1:
            return None
        every.append(block)
        if outputs[0][0] in needed:
            live.append(block)
            needed.update(inputs)
    return _Outline(every, live, needed)


def _reading(
    network: Network, every: list[bytes], live: list[bytes], reached: Pattern, needed: set[str]
) -> Reading:
    read_inputs = tuple([name in needed for name, _ in network.inputs])
    is_transparent = False not in reached and False not in read_inputs
    return Reading(b"".join(every), b"".join(live), reached, read_inputs, is_transparent)


# --- the general case: layers among the blocks, inputs that are not reached, outputs that are not needed


def _read(network: Network, reached_inputs: Iterable[str], needed_outputs: Iterable[str]) -> Reading:
    """The reading where only these inputs are reached and only these outputs needed."""
    reached, needed = set(reached_inputs), set(needed_outputs)
    found = _forward(network, reached)
    live = _backward(network, found, reached, needed)
    from_inputs = tuple([name in reached for name, _ in network.outputs])
    return _reading(network, [layers for layers, _ in found], live, from_inputs, needed)


def _forward(network: Network, reached: set[str]) -> list[tuple[bytes, Reading | None]]:
    """Of each item all layers, packed, and of a block its reading with all outputs needed.

    The values that depend on a reached one join `reached`.
    """
    shapes = dict(network.inputs)
    found: list[tuple[bytes, Reading | None]] = []
    for item in _parts(network):
        if isinstance(item, Block):
            everything = (True,) * len(item.outputs)
            reading = read_part(item.network, _pattern(item.inputs, reached), everything)
            found.append((reading.every, reading))
            reached.update(compress(_names(item.outputs), reading.reached))
        else:
            found.append((identifier(item, shapes, network), None))
            if not reached.isdisjoint(item.inputs):
                reached.update(_names(item.outputs))
        shapes.update(item.outputs)
    return found


def _backward(
    network: Network, found: list[tuple[bytes, Reading | None]], reached: set[str], needed: set[str]
) -> list[bytes]:
    """The live layers of the live items, packed; the values that these read join `needed`."""
    live = []
    for item, (layers, reading) in zip(reversed(_parts(network)), reversed(found), strict=True):
        outputs = _names(item.outputs)
        if needed.isdisjoint(outputs) or reached.isdisjoint(item.inputs):
            continue
        if isinstance(item, Layer) or reading is None:
            live.append(layers)
            needed.update(item.inputs)
            continue
        if not needed.issuperset(outputs):
            patterns = _pattern(item.inputs, reached), _pattern(outputs, needed)
            reading = read_part(item.network, *patterns)
        live.append(reading.live)
        needed.update(compress(item.inputs, reading.needed))
    return live


def _pattern(names: Iterable[str], among: set[str]) -> Pattern:
    return tuple([name in among for name in names])


def read_part(network: Network, inputs: Pattern, outputs: Pattern) -> Reading:
    """The reading of `network` where only some inputs are reached and only some outputs are needed."""
    if False not in inputs and False not in outputs:
        return read(network)
    known: dict[tuple[Pattern, Pattern], Reading] = network.__dict__.setdefault(_PARTIAL, {})
    found = known.get((inputs, outputs))
    if found is None:
        reached = compress(_names(network.inputs), inputs)
        needed = compress(_names(network.outputs), outputs)
        found = known[inputs, outputs] = _read(network, reached, needed)
    return found
