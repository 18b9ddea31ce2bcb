"""Dead branches: layers not reachable from the input, or not reaching the output.

Worked out block by block and remembered: a block that is called twice with the same live inputs and the
same wanted outputs is looked at once.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from hwnas.network.network import Block, Item, Layer, Network, join

Mask: TypeAlias = tuple[bool, ...]
_REACHED, _LIVE = "_hwnas_reached", "_hwnas_live"


class LiveItem(NamedTuple):
    """An item with live layers; for a block, which inputs are reached and which outputs are wanted."""

    item: Item
    reached: Mask
    wanted: Mask


class Live(NamedTuple):
    """The live items of a network in order, and which of its inputs they read."""

    items: tuple[LiveItem, ...]
    read: Mask


def live_items(network: Network, reached: Mask | None = None, wanted: Mask | None = None) -> Live:
    """The items that carry the `reached` inputs to the `wanted` outputs (all of them by default)."""
    reached = (True,) * len(network.inputs) if reached is None else reached
    wanted = (True,) * len(network.outputs) if wanted is None else wanted
    known: dict[tuple[Mask, Mask], Live] = network.__dict__.setdefault(_LIVE, {})
    found = known.get((reached, wanted))
    if found is None:
        found = known[reached, wanted] = _find_live(network, reached, wanted)
    return found


def _find_live(network: Network, reached: Mask, wanted: Mask) -> Live:
    reachable, _ = _forward(network, reached)
    needed = {value.name for value, want in zip(network.outputs, wanted, strict=True) if want}
    live: list[LiveItem] = []
    for item, inputs in reversed(reachable):
        outputs = tuple([value.name in needed for value in item.outputs])
        if not any(outputs):
            continue
        if isinstance(item, Layer):
            live.append(LiveItem(item, inputs, outputs))
            needed.update(item.inputs)
            continue
        inner = live_items(item.network, inputs, outputs)
        needed.update([name for name, read in zip(item.inputs, inner.read, strict=True) if read])
        if inner.items:
            live.append(LiveItem(item, inputs, outputs))
    return Live(tuple(reversed(live)), tuple([value.name in needed for value in network.inputs]))


def _reached_outputs(network: Network, reached: Mask) -> Mask:
    """Which outputs depend on the `reached` inputs."""
    known: dict[Mask, Mask] = network.__dict__.setdefault(_REACHED, {})
    if reached not in known:
        _, names = _forward(network, reached)
        known[reached] = tuple([value.name in names for value in network.outputs])
    return known[reached]


def _forward(network: Network, reached: Mask) -> tuple[list[tuple[Item, Mask]], set[str]]:
    """The items that depend on the `reached` inputs, with theirs; and the names of all that does."""
    names = {value.name for value, reach in zip(network.inputs, reached, strict=True) if reach}
    reachable: list[tuple[Item, Mask]] = []
    for item in network.items:
        inputs = tuple([name in names for name in item.inputs])
        if not any(inputs):
            continue
        reachable.append((item, inputs))
        if isinstance(item, Layer):
            names.update([value.name for value in item.outputs])
        else:
            outputs = _reached_outputs(item.network, inputs)
            names.update([v.name for v, reach in zip(item.outputs, outputs, strict=True) if reach])
    return reachable, names


def live_layers(network: Network) -> frozenset[str]:
    """Names of the layers that carry the input to an output."""
    return frozenset(_names(live_items(network), ""))


def _names(live: Live, prefix: str) -> list[str]:
    names = []
    for item, reached, wanted in live.items:
        path = join(prefix, item.name)
        if isinstance(item, Block):
            names += _names(live_items(item.network, reached, wanted), path)
        else:
            names.append(path)
    return names


def dead_layers(network: Network) -> tuple[Layer, ...]:
    """The layers that are not live, in order."""
    live = live_layers(network)
    return tuple(layer for layer in network.layers if layer.name not in live)


def prune(network: Network) -> Network:
    """The network of the live layers alone (flat), or `network` itself where nothing is dead.

    A layer outside stays where a live layer reads its constant result; so the pruned network computes
    the same function. Parameters that no kept layer uses are dropped.
    """
    kept = set(live_layers(network))
    read = {name for layer in network.layers for name in layer.inputs}
    if len(kept) == len(network.layers) and read.issuperset(network.parameters):
        return network
    _keep_sources(network, kept)
    layers = tuple(layer for layer in network.layers if layer.name in kept)
    used = {name for layer in layers for name in layer.inputs}
    return Network(
        inputs=network.inputs,
        outputs=network.flat_outputs,
        items=layers,
        own_parameters={name: p for name, p in network.parameters.items() if name in used},
    )


def _keep_sources(network: Network, kept: set[str]) -> None:
    """Add to `kept` every layer whose result an output or a kept layer reads."""
    producers = {value.name: layer for layer in network.layers for value in layer.outputs}
    waiting = [value.name for value in network.flat_outputs]
    waiting += [name for layer in network.layers if layer.name in kept for name in layer.inputs]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in producers and name not in seen:
            seen.update(value.name for value in producers[name].outputs)
            kept.add(producers[name].name)
            waiting += producers[name].inputs
