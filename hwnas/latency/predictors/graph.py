"""Networks as graphs of parts: what a graph convolution sees.

A node is an innermost block, or a layer beside blocks. A block of blocks (a cell, a stage) is a graph of its
own, cut at its border; the same block called five times is one graph that counts five times, so that a
network of hundreds of layers is a handful of small graphs.

Runtimes that prune dead branches follow the live layers, those that run a graph as written every layer. So
dead nodes stay, and each node has the descriptors of all its layers beside those of its live ones.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from hwnas.latency.predictors.features import CLASSES, QUANTITIES
from hwnas.latency.predictors.layer_ids import descriptors
from hwnas.latency.predictors.reading import identifier, read, read_part
from hwnas.network.liveness import LiveItem, Mask, live_items
from hwnas.network.network import Block, Layer, Network, Shape

NODE_COLUMNS = 2 * len(CLASSES) * len(QUANTITIES)
_GRAPHS = "_hwnas_latency_graphs"

_numbers: dict[tuple[bytes, bytes], int] = {}
_layers: list[tuple[bytes, bytes]] = []
_adding = Lock()


@dataclass(frozen=True, eq=False)
class Graph:
    """Nodes and which of them read which.

    Attributes:
        nodes: `[n]`, the number of each node's kind (see `node_descriptors`).
        edges: `[e, 2]`, positions of producer and reader.
    """

    nodes: NDArray[np.int64]
    edges: NDArray[np.int64]


def graphs(network: Network) -> Counter[Graph]:
    """The graphs of `network`, each with how often it occurs.

    Remembered with the network object; a pickled network goes without, numbers being those of a process.
    """
    return _graphs(network, (True,) * len(network.inputs), (True,) * len(network.outputs))


def node_descriptors(numbers: NDArray[np.int64]) -> NDArray[np.float64]:
    """What nodes ask of a device, `[n] -> [n, 2 · classes · quantities]`.

    The sum of the descriptors (see `features`) of all layers, and then of the live ones.
    """
    rows = [np.concatenate([_sum(layers) for layers in _layers[number]]) for number in numbers]
    return np.array(rows, dtype=np.float64).reshape(len(rows), NODE_COLUMNS)


def _sum(layers: bytes) -> NDArray[np.float64]:
    ids = np.frombuffer(layers, dtype="<i4").astype(np.int64)
    found: NDArray[np.float64] = descriptors(ids).reshape(len(ids), NODE_COLUMNS // 2).sum(axis=0)
    return found


def _graphs(network: Network, reached: Mask, wanted: Mask) -> Counter[Graph]:
    known: dict[tuple[Mask, Mask], Counter[Graph]] = network.__dict__.setdefault(_GRAPHS, {})
    found = known.get((reached, wanted))
    if found is None:
        found = known[reached, wanted] = _read(network, reached, wanted)
    return found


def _read(network: Network, reached: Mask, wanted: Mask) -> Counter[Graph]:
    found: Counter[Graph] = Counter()
    shapes = dict(network.inputs)
    for item in network.items:
        shapes.update(item.outputs)
    live = {one.item.name: one for one in live_items(network, reached, wanted).items}
    nodes: list[int] = []
    edges: list[tuple[int, int]] = []
    producers: dict[str, int] = {}
    for item in network.items:
        masks = live.get(item.name, LiveItem(item, (False,) * len(item.inputs), (False,) * len(item.outputs)))
        if isinstance(item, Block) and not item.network.is_innermost:
            found.update(_graphs(item.network, masks.reached, masks.wanted))
            continue
        edges += [(producers[name], len(nodes)) for name in dict.fromkeys(item.inputs) if name in producers]
        producers.update((value.name, len(nodes)) for value in item.outputs)
        nodes.append(_number(_layers_of(masks, shapes, network)))
    if nodes:
        found[Graph(np.array(nodes), np.array(edges, dtype=np.int64).reshape(len(edges), 2))] += 1
    return found


def _layers_of(one: LiveItem, shapes: dict[str, Shape], network: Network) -> tuple[bytes, bytes]:
    """All layers of one item and the live ones, as packed numbers."""
    is_live = any(one.wanted)
    if isinstance(one.item, Layer):
        layer = identifier(one.item, shapes, network)
        return layer, layer if is_live else b""
    block = one.item.network
    return read(block).every, read_part(block, one.reached, one.wanted).live if is_live else b""


def _number(layers: tuple[bytes, bytes]) -> int:
    with _adding:
        if layers not in _numbers:
            _layers.append(layers)
            _numbers[layers] = len(_layers) - 1
        return _numbers[layers]
