"""The kernels of a network as small numbers: how often it runs which."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hwnas.latency.kernels.fusion import cut, fused
from hwnas.latency.kernels.simplified import simplified
from hwnas.latency.predictors.block_ids import number_of
from hwnas.network.network import Layer, Network

_OF_NETWORK = "_hwnas_latency_kernel_ids"
_known: dict[tuple[Any, ...], bytes] = {}


def kernel_ids(network: Network) -> bytes:
    """The kernels of `network`, repeated ones repeatedly: packed numbers, four bytes each.

    The numbers are those of `hwnas.latency.predictors.block_ids`. Remembered with the network object.
    """
    found: bytes | None = network.__dict__.get(_OF_NETWORK)
    if found is None:
        live = simplified(network).network
        found = network.__dict__[_OF_NETWORK] = b"".join(_number(layers, live) for layers in fused(live))
    return found


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
