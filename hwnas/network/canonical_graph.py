"""A network as a graph without names: what `canonical` puts in order.

The graph of a block is made once for each distinct network and copied into that of its caller.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping

import numpy as np

from hwnas.network.network import Block, Layer, Network, Parameter, Value

COMMUTATIVE = frozenset({"Add", "Mul", "Max", "Min", "Sum", "Mean"})

Source = tuple[int, int]
ABSENT: Source = (-1, 0)
_GRAPH = "_hwnas_graph"


class Graph:
    """Nodes are the inputs, the shared and unused parameters, and the layers, in topological order.

    A constant, and a parameter that one layer alone uses, is part of the layer's label.

    Attributes:
        labels: digest of what a node is, whatever it is connected with.
        sources: for each node, pairs (node, which of its outputs); `ABSENT` for an input that is left
            out or part of the label.
        commutative: whether the order of a node's sources does not matter.
        outputs: the sources of the network's outputs.
        users: for each node, pairs (node, slot); the slot of a commutative operator is 0 throughout.
    """

    def __init__(self, network: Network) -> None:
        piece = _piece(network)
        count = len(network.inputs)
        self.labels = [_digest(f"input {i} {v.shape}") for i, v in enumerate(network.inputs)]
        self.sources: list[list[Source]] = [[] for _ in network.inputs]
        self.commutative = [False] * count
        self.outputs = piece.copied_into(self, [(index, 0) for index in range(count)])
        self.users: list[list[tuple[int, int]]] = [[] for _ in self.labels]
        for node, inputs in enumerate(self.sources):
            swaps = self.commutative[node]
            for slot, (source, _) in enumerate(inputs):
                if source >= 0:
                    self.users[source].append((node, 0 if swaps else slot))


class _Piece:
    """The graph of a network whose inputs are open: source `-2 - i` stands for input i."""

    def __init__(self) -> None:
        self.labels: list[bytes] = []
        self.sources: list[list[Source]] = []
        self.commutative: list[bool] = []
        self.outputs: list[Source] = []

    def add(self, label: bytes, sources: list[Source], *, swaps: bool) -> int:
        self.labels.append(label)
        self.sources.append(sources)
        self.commutative.append(swaps)
        return len(self.labels) - 1

    def copied_into(self, other: Graph | _Piece, inputs: list[Source]) -> list[Source]:
        """Append this piece to `other` with its `inputs` connected; returns the sources of its outputs."""
        first = len(other.labels)
        other.labels += self.labels
        other.commutative += self.commutative
        other.sources += [
            [
                (node + first, part) if node >= 0 else (inputs[-2 - node] if node < -1 else ABSENT)
                for node, part in sources
            ]
            for sources in self.sources
        ]
        return [(node + first, part) if node >= 0 else inputs[-2 - node] for node, part in self.outputs]


def _piece(network: Network) -> _Piece:
    found: _Piece | None = network.__dict__.get(_GRAPH)
    if found is None:
        found = network.__dict__[_GRAPH] = _made(network)
    return found


def _made(network: Network) -> _Piece:
    piece = _Piece()
    place: dict[str, Source] = {value.name: (-2 - i, 0) for i, value in enumerate(network.inputs)}
    users = Counter(name for item in network.items if isinstance(item, Layer) for name in item.inputs)
    owned: dict[str, str] = {}
    for name, parameter in network.own_parameters.items():
        label = _parameter_label(parameter)
        if users[name] == 1 or parameter.constant is not None:
            owned[name] = label
        else:
            place[name] = (piece.add(_digest(label), [], swaps=False), 0)
    for item in network.items:
        inputs = [place.get(name, ABSENT) for name in item.inputs]
        if isinstance(item, Block):
            _place(place, item.outputs, _piece(item.network).copied_into(piece, inputs))
            continue
        node = piece.add(_layer_label(item, owned), inputs, swaps=item.op in COMMUTATIVE)
        _place(place, item.outputs, [(node, part) for part in range(len(item.outputs))])
    piece.outputs = [place[value.name] for value in network.outputs]
    return piece


def _place(place: dict[str, Source], values: tuple[Value, ...], sources: list[Source]) -> None:
    for value, source in zip(values, sources, strict=True):
        place[value.name] = source


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def _parameter_label(parameter: Parameter) -> str:
    return f"parameter {tuple(parameter.shape)} {parameter.trainable} {_plain(parameter.constant)}"


def _layer_label(layer: Layer, owned: Mapping[str, str]) -> bytes:
    shapes = [value.shape for value in layer.outputs]
    swaps = layer.op in COMMUTATIVE
    parameters = [
        (0 if swaps else slot, owned[name]) for slot, name in enumerate(layer.inputs) if name in owned
    ]
    attributes = sorted((name, _plain(value)) for name, value in layer.attributes.items())
    return _digest(f"{layer.op} {attributes} {shapes} {sorted(parameters)}")


def _plain(value: object) -> object:
    """A value with its numbers as float32 holds them, and whole ones as integers: 1.0 and 1 are alike."""
    if isinstance(value, tuple):
        return tuple(_plain(item) for item in value)
    if not isinstance(value, float):
        return int(value) if isinstance(value, bool) else value
    with np.errstate(over="ignore"):
        rounded = float(np.float32(value))
    return int(rounded) if rounded.is_integer() else rounded
