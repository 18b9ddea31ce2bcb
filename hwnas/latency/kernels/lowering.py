"""The kernels of a network as small numbers: how often it runs which."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hwnas.latency.block_ids import number_of
from hwnas.latency.kernels.fusion import FUSED, cut, fused
from hwnas.latency.kernels.simplified import simplified
from hwnas.network.network import Block, Layer, Network

_OF_NETWORK = "_hwnas_latency_kernel_ids"
_known: dict[tuple[Any, ...], bytes] = {}


def kernel_ids(network: Network) -> bytes:
    """The kernels of `network`, repeated ones repeatedly: packed numbers, four bytes each.

    The numbers are those of `hwnas.latency.block_ids`. Remembered with the network object, and
    with the blocks of a chain of blocks, which many networks share.
    """
    found: bytes | None = network.__dict__.get(_OF_NETWORK)
    if found is None:
        found = _of_chain(network)
        found = network.__dict__[_OF_NETWORK] = of_whole(network) if found is None else found
    return found


def of_whole(network: Network) -> bytes:
    """As `kernel_ids`, from the flat network."""
    flat = simplified(network).network
    return b"".join([_number(layers, flat) for layers in fused(flat)])


def _of_chain(network: Network) -> bytes | None:
    """The kernels of blocks one behind the other, none of which fuses with the one before; else None."""
    if len(network.inputs) != 1 or len(network.outputs) != 1:
        return None
    last = network.inputs[0].name
    found = []
    for item in network.items:
        if not isinstance(item, Block) or item.inputs != (last,) or len(item.outputs) != 1:
            return None
        if not _begins_anew(item.network):
            return None
        found.append(kernel_ids(item.network))
        last = item.outputs[0].name
    return b"".join(found) if last == network.outputs[0].name else None


def _begins_anew(block: Network) -> bool:
    """Whether nothing in a block can be fused with what its single input comes from."""
    readers = [item for item in block.items if block.inputs[0].name in item.inputs]
    if len(readers) != 1:
        return bool(readers) and block.inputs[0].name != block.outputs[0].name
    reader = readers[0]
    return reader.op not in FUSED if isinstance(reader, Layer) else _begins_anew(reader.network)


def kernel_networks(network: Network) -> list[Network]:
    """The kernels of `network` in order, each as a network of its own."""
    live = simplified(network).network
    return [cut(layers, live) for layers in fused(live)]


def kernel_counts(network: Network) -> Counter[str]:
    """How often `network` runs each kernel, by canonical key."""
    return Counter(kernel.key for kernel in kernel_networks(network))


def _number(layers: tuple[Layer, ...], network: Network) -> bytes:
    signature = _signature(layers, network)
    found = _known.get(signature)
    if found is None:
        found = _known[signature] = number_of(cut(layers, network))
    return found


def _signature(layers: tuple[Layer, ...], network: Network) -> tuple[Any, ...]:
    """What a kernel is, whatever its values and parameters are called."""
    places: dict[str, int] = {}
    parts: list[Any] = []
    for layer in layers:
        for name in layer.inputs:
            if name in network.parameters:
                parameter = network.parameters[name]
                parts.append((places.setdefault(name, len(places)), parameter.shape, parameter.constant))
            elif name:
                parts.append((places.setdefault(name, len(places)), network.values[name].shape))
            else:
                parts.append(None)
        for value in layer.outputs:
            places[value.name] = len(places)
        parts.append((layer.op, tuple(layer.attributes.items()), layer.output.shape))
    return tuple(parts)
