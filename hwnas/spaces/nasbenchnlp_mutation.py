"""Small changes of a recipe: an operation, an input, a node more, a node less."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import TypeVar

import numpy as np

from hwnas.network.recipe import (
    ACTIVATIONS,
    ARITIES,
    ELEMENTWISE,
    MAX_NODES,
    Node,
    Recipe,
    is_new_state,
    reaching,
)
from hwnas.spaces.nasbenchnlp_rules import ARITY, candidates

Nodes = tuple[Node, ...]
T = TypeVar("T")


def changed(recipe: Recipe, generator: np.random.Generator) -> Recipe | None:
    """A valid recipe after one random change, without the nodes that then lead nowhere; None if too large.

    The change is one of five with equal probability: another activation, or a sum for a product; another
    input; an input more or less of a linear; a node between a node and one of its inputs; a node less,
    whose readers then read one of its inputs. Linears come and go with their activation.
    """
    change = CHANGES[int(generator.integers(len(CHANGES)))]
    nodes = change(recipe, generator)
    kept = reaching(nodes)
    nodes = tuple(node for node in nodes if node.name in kept)
    return Recipe(nodes) if len(nodes) <= MAX_NODES else None


def _other_operation(recipe: Recipe, generator: np.random.Generator) -> Nodes:
    node = _one(recipe.nodes, generator)
    group = next((group for group in (ACTIVATIONS, ELEMENTWISE) if node.op in group), (node.op,))
    return _replaced(recipe.nodes, node, node._replace(op=_one(group, generator)))


def _other_input(recipe: Recipe, generator: np.random.Generator) -> Nodes:
    node = _one(recipe.nodes, generator)
    position = int(generator.integers(len(node.inputs)))
    allowed = candidates(node.op, _not_after(recipe, node), recipe.previous_states)
    if not allowed:
        return recipe.nodes
    return _replaced(recipe.nodes, node, _reading(node, position, _one(allowed, generator)))


def _other_number_of_inputs(recipe: Recipe, generator: np.random.Generator) -> Nodes:
    node = _one(recipe.nodes, generator)
    if node.op != "linear":
        return recipe.nodes
    if len(node.inputs) == ARITIES["linear"][-1]:
        gone = _one(node.inputs, generator)
        inputs = tuple(name for name in node.inputs if name != gone)
    else:
        allowed = candidates(node.op, _not_after(recipe, node), recipe.previous_states)
        inputs = (*node.inputs, _one(allowed, generator))
    return _replaced(recipe.nodes, node, node._replace(inputs=inputs))


def _node_more(recipe: Recipe, generator: np.random.Generator) -> Nodes:
    node = _one(recipe.nodes, generator)
    position = int(generator.integers(len(node.inputs)))
    if node.op in ACTIVATIONS:
        return recipe.nodes
    op = "linear" if node.op == "linear" else _one((*ELEMENTWISE, "blend"), generator)
    allowed = candidates(op, _not_after(recipe, node), recipe.previous_states)
    others = [name for name in allowed if name != node.inputs[position]]
    if len(others) < ARITY[op] - 1:
        return recipe.nodes
    inputs = (node.inputs[position], *generator.permutation(others)[: ARITY[op] - 1].tolist())
    first, second = _free_names(recipe)
    added = [Node(first, op, inputs)]
    if op == "linear":
        added.append(Node(second, _one(ACTIVATIONS, generator), (first,)))
    return (*_replaced(recipe.nodes, node, _reading(node, position, added[-1].name)), *added)


def _node_less(recipe: Recipe, generator: np.random.Generator) -> Nodes:
    gone = _one(recipe.nodes, generator)
    inputs = {node.name: node.inputs for node in recipe.nodes}
    sources = inputs[gone.inputs[0]] if gone.op in ACTIVATIONS else gone.inputs
    source = _one(sources, generator)
    readers = [node for node in recipe.nodes if gone.name in node.inputs]
    readable = all(source in candidates(node.op, recipe.nodes, recipe.previous_states) for node in readers)
    if is_new_state(gone.name) or not readable:
        return recipe.nodes
    return tuple(
        node._replace(inputs=tuple(source if name == gone.name else name for name in node.inputs))
        for node in recipe.nodes
        if node is not gone
    )


CHANGES: tuple[Callable[[Recipe, np.random.Generator], Nodes], ...] = (
    _other_operation,
    _other_input,
    _other_number_of_inputs,
    _node_more,
    _node_less,
)


def _one(choices: Sequence[T], generator: np.random.Generator) -> T:
    return choices[int(generator.integers(len(choices)))]


def _replaced(nodes: Nodes, old: Node, new: Node) -> Nodes:
    return tuple(new if node is old else node for node in nodes)


def _reading(node: Node, position: int, source: str) -> Node:
    return node._replace(inputs=(*node.inputs[:position], source, *node.inputs[position + 1 :]))


def _not_after(recipe: Recipe, node: Node) -> list[Node]:
    """The nodes that do not depend on `node`, and so may become inputs of it."""
    after = {node.name}
    for other in recipe.nodes:
        if not after.isdisjoint(other.inputs):
            after.add(other.name)
    return [other for other in recipe.nodes if other.name not in after]


def _free_names(recipe: Recipe) -> tuple[str, str]:
    taken = {node.name for node in recipe.nodes}
    free = (name for name in (f"node_{i}" for i in count()) if name not in taken)
    return next(free), next(free)
