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
import heapq
import struct
from collections import Counter, defaultdict
from collections.abc import Iterator

from hwnas.network.canonical_graph import Graph
from hwnas.network.network import Layer, Network, flat

MAX_LEAVES = 2000

Colour = bytes


def canonical_key(network: Network) -> str:
    """Hexadecimal key of 32 characters.

    Raises:
        ValueError: the network is so symmetric that more than `MAX_LEAVES` orders would be compared.
    """
    form, _ = _smallest(Graph(network))
    return _digest(form)


def canonical_network(network: Network) -> Network:
    """The same layers, flat, in an order that isomorphic networks share.

    Modules made from isomorphic networks in this order draw the same initial weights from one seed.

    Raises:
        ValueError: as `canonical_key`.
    """
    graph = Graph(flat(network))
    form, order = _smallest(graph)
    rank = {node: position for position, node in enumerate(order)}
    first = len(graph.labels) - len(network.layers)
    waiting = [sum(source >= first for source, _ in graph.sources[node]) for node in range(len(graph.labels))]
    ready = [(rank[node], node) for node in range(first, len(waiting)) if not waiting[node]]
    heapq.heapify(ready)
    layers: list[Layer] = []
    while ready:
        _, node = heapq.heappop(ready)
        layers.append(_with_ordered_inputs(network.layers[node - first], graph, node, rank))
        for user, _ in graph.users[node]:
            waiting[user] -= 1
            if not waiting[user]:
                heapq.heappush(ready, (rank[user], user))
    ordered = Network(network.inputs, network.flat_outputs, tuple(layers), network.parameters)
    ordered.__dict__["key"] = _digest(form)
    return ordered


def _with_ordered_inputs(layer: Layer, graph: Graph, node: int, rank: dict[int, int]) -> Layer:
    """The layer with the terms of a sum or product in canonical order: floating-point sums depend on it."""
    sources = graph.sources[node]
    if not graph.commutative[node] or any(source < 0 for source, _ in sources):
        return layer
    order = sorted(range(len(sources)), key=lambda i: (rank[sources[i][0]], sources[i][1]))
    return layer._replace(inputs=tuple(layer.inputs[i] for i in order))


def _digest(form: bytes) -> str:
    return hashlib.blake2b(form, digest_size=16).hexdigest()


def _smallest(graph: Graph) -> tuple[bytes, list[int]]:
    """The smallest description, and the nodes in its order."""
    best: tuple[bytes, list[int]] | None = None
    for leaf, found in enumerate(_leaves(graph, _refined(graph, {}))):
        if leaf >= MAX_LEAVES:
            raise ValueError(f"the network has more than {MAX_LEAVES} symmetric orders: no canonical key")
        best = found if best is None else min(best, found)
    assert best is not None
    return best


def _refined(graph: Graph, singled_out: dict[int, int]) -> list[Colour]:
    """Stable colours of the nodes; `singled_out` gives nodes an order of their own."""
    colours = list(graph.labels)
    for node, order in singled_out.items():
        colours[node] += struct.pack("<i", order)
    for slot, (node, part) in enumerate(graph.outputs):
        colours[node] += struct.pack("<ii", slot, part)
    classes = 0
    while True:
        _look_back(graph, colours)
        if len(set(colours)) == len(colours):
            return colours
        _look_ahead(graph, colours)
        found = len(set(colours))
        if found in (classes, len(colours)):
            return colours
        classes = found


def _look_back(graph: Graph, colours: list[Colour]) -> None:
    """Mix the colours of its sources into each node's, in topological order."""
    digest, absent = hashlib.blake2b, b"-"
    for node, inputs in enumerate(graph.sources):
        seen = [_BYTE[part & 255] + (colours[i] if i >= 0 else absent) for i, part in inputs]
        if len(seen) > 1 and graph.commutative[node]:
            seen.sort()
        colours[node] = digest(colours[node] + b"".join(seen), digest_size=16).digest()


def _look_ahead(graph: Graph, colours: list[Colour]) -> None:
    """Mix the colours of its users into each node's, in reverse order."""
    digest = hashlib.blake2b
    for node in range(len(colours) - 1, -1, -1):
        behind = [_BYTE[slot & 255] + colours[user] for user, slot in graph.users[node]]
        behind.sort()
        colours[node] = digest(colours[node] + b"".join(behind), digest_size=16).digest()


_BYTE = [bytes((number,)) for number in range(256)]


def _form(graph: Graph, colours: list[Colour]) -> tuple[bytes, list[int]]:
    """The whole description with the nodes numbered by their (distinct) colours, and that order."""
    order = sorted(range(len(colours)), key=colours.__getitem__)
    rank = [0] * len(order) + [-1]  # the last is that of node -1
    for position, node in enumerate(order):
        rank[node] = position
    numbers: list[int] = []
    for node in order:
        inputs = [(rank[source], part) for source, part in graph.sources[node]]
        if graph.commutative[node]:
            inputs.sort()
        numbers.append(len(inputs))
        for pair in inputs:
            numbers += pair
    for node, part in graph.outputs:
        numbers += (rank[node], part)
    form = b"".join([graph.labels[node] for node in order]) + struct.pack(f"<{len(numbers)}i", *numbers)
    return form, order


def _leaves(graph: Graph, colours: list[Colour]) -> Iterator[tuple[bytes, list[int]]]:
    """Descriptions in every order that the colours and the exchanges leave open."""
    stack: list[tuple[dict[int, int], list[Colour]]] = [({}, colours)]
    while stack:
        singled_out, colours = stack.pop()
        tied = _first_tie(colours)
        if not tied:
            yield _form(graph, colours)
            continue
        representatives = [tied[0]]
        for node in tied[1:]:
            if not any(_exchangeable(graph, colours, node, other) for other in representatives):
                representatives.append(node)
        for node in representatives:
            chosen = singled_out | {node: len(singled_out)}
            stack.append((chosen, _refined(graph, chosen)))


def _first_tie(colours: list[Colour]) -> list[int]:
    """The nodes of the smallest colour that more than one node has, or none."""
    counts = Counter(colours)
    tied = min((colour for colour, count in counts.items() if count > 1), default=None)
    return [node for node, colour in enumerate(colours) if colour == tied] if tied else []


def _exchangeable(graph: Graph, colours: list[Colour], first: int, second: int) -> bool:
    """Whether swapping two tied nodes, and what hangs on them, maps the graph onto itself.

    Where several neighbours could be swapped it tries one way: a true answer is proof, a false one is not.
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
    graph: Graph, colours: list[Colour], swap: dict[int, int], a: int, b: int
) -> list[tuple[int, int]] | None:
    """Which neighbours of `a` may go to which of `b`; None where none fit."""
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
    """Pairs of equal colour, in order; common nodes stay where they are unless they are swapped already."""
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
        if len(lefts) != len(rights):
            return None
        pairs += zip(sorted(lefts), sorted(rights), strict=True)
    return pairs


def _is_automorphism(graph: Graph, swap: dict[int, int]) -> bool:
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
