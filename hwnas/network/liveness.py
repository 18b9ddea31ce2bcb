"""Dead branches: layers not reachable from the input, or not reaching the output."""

from __future__ import annotations

from hwnas.network.network import Layer, Network


def live_layers(network: Network) -> frozenset[str]:
    """Names of the layers that carry the input to an output."""
    reached = {value.name for value in network.inputs}
    reachable: list[Layer] = []
    for layer in network.layers:
        if any(name in reached for name in layer.inputs):
            reached.update(value.name for value in layer.outputs)
            reachable.append(layer)
    needed = {value.name for value in network.flat_outputs}
    live: set[str] = set()
    for layer in reversed(reachable):
        if any(value.name in needed for value in layer.outputs):
            needed.update(layer.inputs)
            live.add(layer.name)
    return frozenset(live)


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
    unused = {p for p in network.parameters if not any(p in layer.inputs for layer in network.layers)}
    if len(kept) == len(network.layers) and not unused:
        return network
    produced_by = {value.name: layer for layer in network.layers for value in layer.outputs}
    waiting = [layer for layer in network.layers if layer.name in kept]
    output_layers = [produced_by[v.name] for v in network.flat_outputs if v.name in produced_by]
    waiting += [layer for layer in output_layers if layer.name not in kept]
    kept.update(layer.name for layer in output_layers)
    while waiting:
        for name in waiting.pop().inputs:
            source = produced_by.get(name)
            if source is not None and source.name not in kept:
                kept.add(source.name)
                waiting.append(source)
    layers = tuple(layer for layer in network.layers if layer.name in kept)
    used = {name for layer in layers for name in layer.inputs}
    return Network(
        inputs=network.inputs,
        outputs=network.flat_outputs,
        items=layers,
        own_parameters={name: p for name, p in network.parameters.items() if name in used},
    )
