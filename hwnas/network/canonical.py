"""Canonical form: isomorphic networks get one key, different functions never share one.

Layers are coloured by what stands before and behind them (Weisfeiler-Leman refinement). Where colours
alone do not order the layers, one of the tied layers is singled out and the colours are refined again;
layers that a local exchange maps onto each other need no second try, any other tie is searched
(individualisation-refinement: McKay and Piperno, "Practical graph isomorphism, II", 2014). The key is
a digest of the whole description in the order found, so that two networks share it only if they are
isomorphic, weight sharing and constants included.
"""

from __future__ import annotations

import hashlib
import struct
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from hwnas.network.network import Layer, Network, Parameter

COMMUTATIVE = frozenset({"Add", "Mul", "Max", "Min", "Sum", "Mean"})
MAX_LEAVES = 2000

Colour = bytes


def canonical_key(network: Network) -> str:
    """Hexadecimal key of 32 characters.

    Raises:
        ValueError: the network is so symmetric that more than `MAX_LEAVES` orders would be compared.
    """
    graph = _Graph.of(network)
    best: bytes | None = None
    for leaf, form in enumerate(_leaves(graph, graph.refined({}))):
        if leaf >= MAX_LEAVES:
            raise ValueError(f"the network has more than {MAX_LEAVES} symmetric orders: no canonical key")
        best = form if best is None else min(best, form)
    assert best is not None
    return hashlib.blake2b(best, digest_size=16).hexdigest()


def _digest(*parts: bytes) -> Colour:
    return hashlib.blake2b(b"\x1f".join(parts), digest_size=8).digest()


@dataclass(frozen=True)
class _Graph:
    """Nodes are the inputs, the shared and unused parameters, and the layers, in topological order.

    A constant, and a parameter that one layer alone uses, is part of the layer's label.

    `sources[i]` are pairs (node, which of its outputs); `users[i]` pairs (node, slot), where the slot
    of a commutative operator is 0 throughout.
    """

    labels: list[bytes]
    sources: list[list[tuple[int, int]]]
    commutative: list[bool]
    outputs: list[tuple[int, int]]
    users: list[list[tuple[int, int]]] = field(default_factory=list)

    @classmethod
    def of(cls, network: Network) -> _Graph:
        place: dict[str, tuple[int, int]] = {}
        labels: list[bytes] = []
        sources: list[list[tuple[int, int]]] = []
        commutative: list[bool] = []

        def add(label: bytes, inputs: list[tuple[int, int]], swaps: bool) -> int:
            labels.append(label)
            sources.append(inputs)
            commutative.append(swaps)
            return len(labels) - 1

        for index, value in enumerate(network.inputs):
            place[value.name] = (add(f"input {index} {value.shape}".encode(), [], False), 0)
        users = Counter(name for layer in network.layers for name in layer.inputs)
        owned = {
            name: _parameter_label(p)
            for name, p in network.parameters.items()
            if users[name] == 1 or p.constant is not None
        }
        for parameter in network.parameters.values():
            if parameter.name not in owned:
                place[parameter.name] = (add(_parameter_label(parameter), [], False), 0)
        for layer in network.layers:
            inputs = [place.get(name, (-1, 0)) for name in layer.inputs]
            node = add(_layer_label(layer, owned), inputs, layer.op in COMMUTATIVE)
            place.update((value.name, (node, slot)) for slot, value in enumerate(layer.outputs))
        graph = cls(labels, sources, commutative, [place[v.name] for v in network.flat_outputs])
        graph.users.extend([] for _ in labels)
        for node, inputs in enumerate(sources):
            for slot, (source, _) in enumerate(inputs):
                if source >= 0:
                    graph.users[source].append((node, 0 if commutative[node] else slot))
        return graph

    def refined(self, singled_out: dict[int, int]) -> list[Colour]:
        """Stable colours of the nodes; `singled_out` gives nodes an order of their own."""
        colours = [
            _digest(label, struct.pack("<i", singled_out.get(node, -1)))
            for node, label in enumerate(self.labels)
        ]
        for slot, (node, part) in enumerate(self.outputs):
            colours[node] = _digest(colours[node], struct.pack("<ii", slot, part))
        classes = 0
        while True:
            for node, inputs in enumerate(self.sources):
                seen = [struct.pack("<i", part) + (colours[i] if i >= 0 else b"") for i, part in inputs]
                colours[node] = _digest(colours[node], *(sorted(seen) if self.commutative[node] else seen))
            for node in range(len(colours) - 1, -1, -1):
                behind = sorted(struct.pack("<i", slot) + colours[user] for user, slot in self.users[node])
                colours[node] = _digest(colours[node], *behind)
            found = len(set(colours))
            if found == classes or found == len(colours):
                return colours
            classes = found

    def form(self, colours: list[Colour]) -> bytes:
        """The whole description with the nodes numbered by their (distinct) colours."""
        order = sorted(range(len(colours)), key=colours.__getitem__)
        rank = {node: position for position, node in enumerate(order)}
        rank[-1] = -1
        lines = []
        for node in order:
            inputs = [(rank[source], part) for source, part in self.sources[node]]
            if self.commutative[node]:
                inputs.sort()
            lines.append(self.labels[node] + repr(inputs).encode())
        lines.append(repr([(rank[node], part) for node, part in self.outputs]).encode())
        return b"\n".join(lines)


def _parameter_label(parameter: Parameter) -> bytes:
    return f"parameter {parameter.shape} {parameter.trainable} {parameter.constant}".encode()


def _layer_label(layer: Layer, owned: Mapping[str, bytes]) -> bytes:
    shapes = [value.shape for value in layer.outputs]
    commutative = layer.op in COMMUTATIVE
    parameters = [
        (0 if commutative else slot, owned[name]) for slot, name in enumerate(layer.inputs) if name in owned
    ]
    return f"{layer.op} {sorted(layer.attributes.items())} {shapes} {sorted(parameters)}".encode()


def _leaves(graph: _Graph, colours: list[Colour]) -> Iterator[bytes]:
    """Descriptions in every order that the colours and the exchanges leave open."""
    stack: list[tuple[dict[int, int], list[Colour]]] = [({}, colours)]
    while stack:
        singled_out, colours = stack.pop()
        tied = _first_tie(colours)
        if not tied:
            yield graph.form(colours)
            continue
        representatives = [tied[0]]
        for node in tied[1:]:
            if not any(_exchangeable(graph, colours, node, other) for other in representatives):
                representatives.append(node)
        for node in representatives:
            chosen = singled_out | {node: len(singled_out)}
            stack.append((chosen, graph.refined(chosen)))


def _first_tie(colours: list[Colour]) -> list[int]:
    """The nodes of the smallest colour that more than one node has, or none."""
    counts = Counter(colours)
    tied = min((colour for colour, count in counts.items() if count > 1), default=None)
    return [node for node, colour in enumerate(colours) if colour == tied] if tied else []


def _exchangeable(graph: _Graph, colours: list[Colour], first: int, second: int) -> bool:
    """Whether swapping two tied nodes, and what hangs on them, maps the graph onto itself.

    Follows forced and unique pairs only, so a true answer is proof and a false one is not.
    """
    swap = {first: second, second: first}
    waiting = [(first, second)]
    while waiting:
        a, b = waiting.pop()
        pairs = _paired(graph, colours, swap, a, b)
        if pairs is None:
            return False
        for one, other in pairs:
            if one == other:
                continue
            if swap.get(one, other) != other or swap.get(other, one) != one:
                return False
            if one not in swap:
                swap[one], swap[other] = other, one
                waiting.append((one, other))
    return _is_automorphism(graph, swap)


def _paired(
    graph: _Graph, colours: list[Colour], swap: dict[int, int], a: int, b: int
) -> list[tuple[int, int]] | None:
    """Which neighbours of `a` must go to which of `b`; nothing where that is not unique."""
    pairs: list[tuple[int, int]] = []
    if graph.commutative[a]:
        sides = [[n for n, _ in graph.sources[a]], [n for n, _ in graph.sources[b]]]
        matched = _match(colours, swap, *sides)
        if matched is None:
            return None
        pairs += matched
    else:
        pairs += [(m, n) for (m, _), (n, _) in zip(graph.sources[a], graph.sources[b], strict=True) if m >= 0]
    matched = _match(colours, swap, [n for n, _ in graph.users[a]], [n for n, _ in graph.users[b]])
    return None if matched is None else pairs + matched


def _match(
    colours: list[Colour], swap: dict[int, int], left: list[int], right: list[int]
) -> list[tuple[int, int]] | None:
    """Pairs of equal colour; common nodes stay where they are unless they are swapped already."""
    pairs = [(node, swap[node]) for node in left if node in swap]
    rest_left = [node for node in left if node not in swap]
    rest_right = [node for node in right if node not in swap]
    common = Counter(rest_left) & Counter(rest_right)
    pairs += [(node, node) for node in common]
    by_colour: dict[Colour, tuple[set[int], set[int]]] = defaultdict(lambda: (set(), set()))
    for side, nodes in enumerate((rest_left, rest_right)):
        for node in (Counter(nodes) - common).elements():
            by_colour[colours[node]][side].add(node)
    for lefts, rights in by_colour.values():
        if len(lefts) != 1 or len(rights) != 1:
            return None
        pairs.append((*lefts, *rights))
    return pairs


def _is_automorphism(graph: _Graph, swap: dict[int, int]) -> bool:
    touched = set(swap)
    for node in swap:
        touched.update(user for user, _ in graph.users[node])
    for node in touched:
        image = swap.get(node, node)
        if graph.labels[node] != graph.labels[image]:
            return False
        mapped = [(swap.get(source, source), part) for source, part in graph.sources[node]]
        wanted = list(graph.sources[image])
        if graph.commutative[node]:
            mapped.sort()
            wanted.sort()
        if mapped != wanted:
            return False
    return all(node not in swap for node, _ in graph.outputs)
