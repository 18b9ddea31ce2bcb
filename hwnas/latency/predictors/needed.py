"""Which layers an output depends on, whether an input feeds them or not.

Converters drop results that nobody reads, yet not all of them fold what is computed from constants alone:
on NAS-Bench-201, TFLite's latencies follow these layers and not the live ones.
"""

from __future__ import annotations

from typing import NamedTuple

from hwnas.latency.predictors.reading import Pattern, identifier, read
from hwnas.network.network import Block, Layer, Network


class Needed(NamedTuple):
    """The layers as packed identifiers (see `layer_ids`), and of each input, whether one reads it."""

    layers: bytes
    inputs: Pattern


_KNOWN = "_hwnas_latency_needed"


def needed_layers(network: Network, outputs: Pattern | None = None) -> Needed:
    """The layers that the marked outputs (all by default) depend on.

    Remembered with the network object; a pickled network goes without, numbers being those of a process.
    """
    pattern = outputs or (True,) * len(network.outputs)
    known: dict[Pattern, Needed] = network.__dict__.setdefault(_KNOWN, {})
    found = known.get(pattern)
    if found is None:
        found = known[pattern] = _walk(network, pattern) if False in pattern else _all(network)
    return found


def _all(network: Network) -> Needed:
    """Every layer, where none is dead."""
    reading = read(network)
    if len(reading.live) == len(reading.every):
        return Needed(reading.every, (True,) * len(network.inputs))
    return _walk(network, (True,) * len(network.outputs))


def _walk(network: Network, outputs: Pattern) -> Needed:
    shapes = dict(network.inputs)
    shapes.update(value for item in network.items for value in item.outputs)
    wanted = {value.name for value, marked in zip(network.outputs, outputs, strict=True) if marked}
    layers = []
    for item in reversed(network.items):
        marked = tuple([value.name in wanted for value in item.outputs])
        if True not in marked:
            continue
        if isinstance(item, Layer):
            layers.append(identifier(item, shapes, network))
            wanted.update(item.inputs)
        elif isinstance(item, Block):
            inner = needed_layers(item.network, marked)
            layers.append(inner.layers)
            wanted.update([name for name, is_read in zip(item.inputs, inner.inputs, strict=True) if is_read])
    return Needed(b"".join(layers), tuple([value.name in wanted for value in network.inputs]))
