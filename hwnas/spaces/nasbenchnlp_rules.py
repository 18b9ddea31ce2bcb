"""Which inputs a node of a random recipe of NAS-Bench-NLP may have."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hwnas.network.recipe import ACTIVATIONS, ARITIES, INPUT, Node, Recipe, is_new_state, reaching

ARITY = {op: numbers[0] for op, numbers in ARITIES.items()}


def candidates(op: str, nodes: Iterable[Node], previous_states: Sequence[str]) -> list[str]:
    """Names that a node of operation `op` may take as inputs, among `nodes`, x and the previous states.

    A linear takes x, previous states and activations; an activation a linear; others all but x.
    """
    if op == "linear":
        return [INPUT, *previous_states, *(node.name for node in nodes if node.op in ACTIVATIONS)]
    if op in ACTIVATIONS:
        return [node.name for node in nodes if node.op == "linear"]
    return [*previous_states, *(node.name for node in nodes)]


def obeys_the_rules(recipe: Recipe) -> bool:
    """Whether NAS-Bench-NLP's procedure can draw this recipe.

    All nodes have inputs from their `candidates`, each once; x and all previous states lead to a new
    state, and no new state reads a previous one directly.
    """
    previous = recipe.previous_states
    for node in recipe.nodes:
        allowed = candidates(node.op, recipe.nodes, previous)
        if len(set(node.inputs)) < len(node.inputs) or not set(node.inputs) <= set(allowed):
            return False
        if is_new_state(node.name) and not set(node.inputs).isdisjoint(previous):
            return False
    return {INPUT, *previous} <= reaching(recipe.nodes)
