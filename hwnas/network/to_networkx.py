"""A network as a `networkx` graph."""

from __future__ import annotations

import networkx as nx

from hwnas.network.network import Network


def to_networkx(network: Network) -> nx.DiGraph:
    """A directed graph with a node for each input, layer and output.

    Nodes carry `op` (`"Input"`, `"Output"` or the operator), `shape` (of the first output, without the
    batch), `attributes` and `parameters` (number of elements); edges carry `value`, the tensor's name.
    """
    graph = nx.DiGraph()
    producer: dict[str, str] = {}
    for value in network.inputs:
        graph.add_node(value.name, op="Input", shape=value.shape, attributes={}, parameters=0)
        producer[value.name] = value.name
    for layer in network.layers:
        owned = sum(network.parameters[name].size for name in layer.inputs if name in network.parameters)
        graph.add_node(
            layer.name,
            op=layer.op,
            shape=layer.output.shape,
            attributes=dict(layer.attributes),
            parameters=owned,
        )
        for name in layer.inputs:
            if name in producer:
                graph.add_edge(producer[name], layer.name, value=name)
        producer.update((value.name, layer.name) for value in layer.outputs)
    for index, value in enumerate(network.flat_outputs):
        graph.add_node(f"output:{index}", op="Output", shape=value.shape, attributes={}, parameters=0)
        graph.add_edge(producer[value.name], f"output:{index}", value=value.name)
    return graph
