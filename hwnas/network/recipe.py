"""Recipes: recurrent cells as NAS-Bench-NLP writes them (Klyuchnikov et al., IEEE Access 2022).

A recipe is a JSON object from node to operation and inputs:
`{"f": {"op": "linear", "input": ["x", "h_prev_0"]}, "h_new_0": {"op": "activation_tanh", "input": ["f"]}}`.
`x` is the input of a step and `h_prev_i` a hidden state before it; the nodes `h_new_i` are the states after
it, and `h_new_0` is the cell's output.
"""

from __future__ import annotations

import heapq
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

ACTIVATIONS = ("activation_tanh", "activation_sigm", "activation_leaky_relu")
ELEMENTWISE = ("elementwise_prod", "elementwise_sum")
ARITIES: Mapping[str, tuple[int, ...]] = {
    "linear": (2, 3),
    "blend": (3,),
    **dict.fromkeys(ELEMENTWISE, (2,)),
    **dict.fromkeys(ACTIVATIONS, (1,)),
}
MAX_NODES, MAX_STATES, MAX_CHARACTERS = 24, 3, 20_000
INPUT = "x"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_NEW, _PREVIOUS = re.compile(r"h_new_(\d+)"), re.compile(r"h_prev_\d+")


class Node(NamedTuple):
    """An operation on other nodes, on `x` and on `h_prev_i`.

    `linear` is the sum of a matrix product for each input and one bias; `blend` of (a, b, c) is
    a·b + (1 - a)·c.
    """

    name: str
    op: str
    inputs: tuple[str, ...]


@dataclass(frozen=True)
class Recipe:
    """A cell: its nodes, put in an order in which each comes after its inputs, else by name.

    Equal if names, operations and inputs of all nodes are.

    Raises:
        ValueError: the nodes are no cell; says which and what would be right.
    """

    nodes: tuple[Node, ...]

    def __post_init__(self) -> None:
        _check_nodes(self.nodes)
        _check_inputs(self.nodes, self.previous_states)
        object.__setattr__(self, "nodes", _ordered(self.nodes))
        if dead := {node.name for node in self.nodes} - reaching(self.nodes):
            raise ValueError(f"node {min(dead)} of the recipe leads to no h_new")

    @cached_property
    def states(self) -> int:
        """Number of hidden states, 1 to 3."""
        return sum(is_new_state(node.name) for node in self.nodes)

    @cached_property
    def previous_states(self) -> tuple[str, ...]:
        """`h_prev_0`, `h_prev_1`, ..."""
        return tuple(f"h_prev_{i}" for i in range(self.states))

    def __str__(self) -> str:
        """The JSON text that `parse_recipe` reads."""
        return json.dumps({name: {"op": op, "input": list(inputs)} for name, op, inputs in self.nodes})


def parse_recipe(text: str) -> Recipe:
    """Read a recipe's JSON text.

    Raises:
        ValueError: the text is malformed or no cell; says which part and what would be right.
    """
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"a recipe has at most {MAX_CHARACTERS} characters, not {len(text)}")
    try:
        found = json.loads(text, object_pairs_hook=_without_doubles)
    except json.JSONDecodeError as error:
        raise ValueError(f"{text!r:.60} is no recipe: {error}") from error
    except RecursionError as error:
        raise ValueError(f"{text!r:.60} is no recipe: nested too deeply") from error
    if not isinstance(found, dict):
        raise ValueError(f'{text!r:.60} is no recipe: {{"node": {{"op": ..., "input": [...]}}}} expected')
    return Recipe(tuple(_node(name, value) for name, value in found.items()))


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{name!r:.60} is given twice in the recipe")
        found[name] = value
    return found


def _node(name: str, value: object) -> Node:
    if not isinstance(value, dict) or set(value) != {"op", "input"}:
        raise ValueError(f'node {name:.60} must have "op" and "input" and nothing else')
    inputs = value["input"]
    if not isinstance(inputs, list) or not all(isinstance(one, str) for one in inputs):
        raise ValueError(f"the input of node {name:.60} must be a list of names")
    return Node(name, value["op"], tuple(inputs))


def is_new_state(name: str) -> bool:
    """Whether `name` is `h_new_i`."""
    return _NEW.fullmatch(name) is not None


def reaching(nodes: Iterable[Node]) -> set[str]:
    """Names of the nodes that lead to a new state, and of the inputs that do."""
    by_name = {node.name: node for node in nodes}
    found = {name for name in by_name if is_new_state(name)}
    waiting = list(found)
    while waiting:
        name = waiting.pop()
        fresh = set(by_name[name].inputs) - found if name in by_name else set()
        found |= fresh
        waiting += fresh
    return found


def _check_nodes(nodes: tuple[Node, ...]) -> None:
    if len(nodes) > MAX_NODES:
        raise ValueError(f"a recipe has at most {MAX_NODES} nodes, not {len(nodes)}")
    names = [node.name for node in nodes]
    for name, op, inputs in nodes:
        if not _NAME.fullmatch(name) or name == INPUT or _PREVIOUS.fullmatch(name) or names.count(name) > 1:
            raise ValueError(
                f"{name!r:.60} is no name of a node: up to 64 letters, digits and _ expected, "
                "other than x and h_prev_i, each once"
            )
        if not isinstance(op, str) or op not in ARITIES:
            raise ValueError(f"op {op!r:.60} of node {name}: one of {', '.join(ARITIES)} expected")
        if len(inputs) not in ARITIES[op]:
            right = " or ".join(map(str, ARITIES[op]))
            raise ValueError(f"node {name} has {len(inputs)} inputs; {op} takes {right}")
    new = sorted(name for name in names if is_new_state(name))
    if not 1 <= len(new) <= MAX_STATES or new != [f"h_new_{i}" for i in range(len(new))]:
        raise ValueError(
            f"a recipe gives h_new_0 or h_new_0 to h_new_1 or h_new_2, not {', '.join(new) or 'none'}"
        )


def _check_inputs(nodes: tuple[Node, ...], previous_states: tuple[str, ...]) -> None:
    known = {node.name for node in nodes} | {INPUT, *previous_states}
    for name, op, inputs in nodes:
        for source in inputs:
            if source not in known:
                raise ValueError(
                    f"input {source!r:.60} of node {name} is no node, x or {', '.join(previous_states)}"
                )
            if source == INPUT and op != "linear":
                raise ValueError(f"node {name} reads x by {op}; only linear takes x, of another size")


def _ordered(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    by_name = {node.name: node for node in nodes}
    missing = {name: sum(i in by_name for i in node.inputs) for name, node in by_name.items()}
    ready = [(_natural(name), name) for name, count in missing.items() if count == 0]
    heapq.heapify(ready)
    ordered: list[Node] = []
    while ready:
        done = by_name[heapq.heappop(ready)[1]]
        ordered.append(done)
        for name, node in by_name.items():
            missing[name] -= node.inputs.count(done.name)
            if done.name in node.inputs and missing[name] == 0:
                heapq.heappush(ready, (_natural(name), name))
    if len(ordered) < len(nodes):
        circular = sorted(set(by_name) - {node.name for node in ordered})
        raise ValueError(f"the recipe has a cycle: {', '.join(circular)} wait for each other")
    return tuple(ordered)


def _natural(name: str) -> tuple[str | int, ...]:
    """Numbers by value: node_2 before node_10."""
    return tuple(int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name))
