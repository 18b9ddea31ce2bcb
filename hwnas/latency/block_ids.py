"""A small number for each distinct block met in this process, and the blocks of a network as such numbers.

A layer that stands alone beside blocks is a block of one layer (`Network.blocks`); its key is found
once for each distinct layer, not once for each network.
"""

from __future__ import annotations

import struct
from threading import Lock
from typing import Any

from hwnas.network.network import Layer, Network, Shape, cut_layer

_numbers: dict[str, int] = {}
_layer_numbers: dict[tuple[Any, ...], bytes] = {}
_keys: list[str] = []
_networks: list[Network] = []
_adding = Lock()


_OF_NETWORK, _OF_BLOCK = "_hwnas_latency_block_ids", "_hwnas_latency_block_id"


def block_ids(network: Network) -> bytes:
    """The innermost blocks of `network`, repeated ones repeatedly: packed numbers, four bytes each.

    Remembered with the network object; a pickled network goes without, numbers being those of a process.
    """
    found: bytes | None = network.__dict__.get(_OF_NETWORK)
    if found is None:
        found = network.__dict__[_OF_NETWORK] = _read(network)
    return found


def key_of(number: int) -> str:
    """The canonical key of a block."""
    return _keys[number]


def description_of(number: int) -> str:
    """Its operators and its input and output shapes, for people."""
    return describe(_networks[number])


def network_of(number: int) -> Network:
    """The block itself."""
    return _networks[number]


def _read(network: Network) -> bytes:
    shapes = dict(network.inputs)
    found = []
    for item in network.items:
        if isinstance(item, Layer):
            found.append(_layer_number(item, network, shapes))
        elif item.network.is_innermost:
            found.append(_whole_number(item.network))
        else:
            found.append(block_ids(item.network))
        shapes.update(item.outputs)
    return b"".join(found)


def _whole_number(block: Network) -> bytes:
    found: bytes | None = block.__dict__.get(_OF_BLOCK)
    if found is None:
        found = block.__dict__[_OF_BLOCK] = number_of(block)
    return found


def _layer_number(layer: Layer, network: Network, shapes: dict[str, Shape]) -> bytes:
    """The number of a layer alone. Which of its inputs are one value is part of what it is."""
    owned = network.own_parameters
    places = {name: place for place, name in enumerate(dict.fromkeys(layer.inputs))}
    signature = (
        layer.op,
        tuple([_input_signature(name, network, shapes) for name in layer.inputs]),
        tuple([places[name] for name in layer.inputs]),
        tuple([shape for _, shape in layer.outputs]),
        tuple(layer.attributes.items()),
    )
    found = _layer_numbers.get(signature)
    if found is None:
        values = {value.name: value for value in network.inputs}
        for item in network.items:
            values.update((value.name, value) for value in item.outputs)
        found = _layer_numbers[signature] = number_of(cut_layer(layer, values, owned))
    return found


def _input_signature(name: str, network: Network, shapes: dict[str, Shape]) -> Any:
    if name in shapes or not name:
        return shapes.get(name)
    parameter = network.own_parameters[name]
    return parameter.shape, parameter.trainable, parameter.constant


def number_of(block: Network) -> bytes:
    """The number of a block, packed; a new one for a key that was not met before."""
    with _adding:
        if block.key not in _numbers:
            _keys.append(block.key)
            _networks.append(block)
            _numbers[block.key] = len(_keys) - 1
        return struct.pack("<i", _numbers[block.key])


def describe(block: Network) -> str:
    """Operators, input and output shapes, such as `Conv-Relu 3×8×8 → 4×8×8`."""
    operators = "-".join(layer.op for layer in block.layers)
    shapes = [" ".join("×".join(map(str, v.shape)) for v in side) for side in (block.inputs, block.outputs)]
    return f"{operators} {shapes[0]} → {shapes[1]}"
