"""NAS-Bench-NLP (Klyuchnikov et al., IEEE Access 2022): random recurrent cells of up to 24 nodes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hwnas.network.recipe import (
    ACTIVATIONS,
    MAX_NODES,
    MAX_STATES,
    Node,
    Recipe,
    parse_recipe,
    reaching,
)
from hwnas.spaces.nasbenchnlp_mutation import changed
from hwnas.spaces.nasbenchnlp_rules import ARITY, candidates, obeys_the_rules

MAX_TRIES = 100_000
OPERATIONS, WEIGHTS = ("linear", "blend", "elementwise_prod", "elementwise_sum"), (3, 1, 1, 1)
LINEAR_INPUTS, LINEAR_WEIGHTS = (2, 3), (4, 1)


class NASBenchNLP:
    """The benchmark's recipes, drawn as the benchmark drew them.

    It has no fixed list of decisions, as the number of nodes varies, and its cells are no static `Network`:
    so it is no `SearchSpace`. Its points are `Recipe`s, which print and parse as JSON text, and
    `hwnas.network.recurrent` makes torch modules of them.

    A recipe of s states and n intermediate nodes is drawn from `states` and `intermediate_nodes`. Until
    there are s + n nodes, one is added: a linear of 2 inputs (or 3, one in five) among x, the previous
    states and the activations, with an activation of its own (half of the draws); or a product, a sum or
    a blend of previous states and nodes. Then s nodes become the new states, and what leads to none of
    them goes. A recipe counts if x and all previous states lead to a new one, no new state reads a
    previous one directly, and at most 24 nodes are left; it is drawn again otherwise.

    Any recipe parses, the benchmark's LSTM and GRU too, which break these rules.

    Args:
        states: numbers of hidden states to draw from, within 1 to 3.
        intermediate_nodes: numbers of nodes beside the new states to draw from.
    """

    name = "nasbenchnlp"

    def __init__(
        self, *, states: Sequence[int] = (1, 2, 3), intermediate_nodes: Sequence[int] = (7, 14, 21)
    ) -> None:
        if not states or any(not 1 <= number <= MAX_STATES for number in states):
            raise ValueError(f"states must lie within 1 to {MAX_STATES}, not {states!r}")
        largest = MAX_NODES - max(states)
        if not intermediate_nodes or any(not 1 <= number <= largest for number in intermediate_nodes):
            raise ValueError(
                f"intermediate_nodes must lie within 1 to {largest}, {MAX_NODES} together with the states, "
                f"not {intermediate_nodes!r}"
            )
        self.states, self.intermediate_nodes = tuple(states), tuple(intermediate_nodes)

    def parse(self, text: str) -> Recipe:
        """Read a recipe's JSON text; raises ValueError naming the part that is wrong."""
        return parse_recipe(text)

    def format(self, recipe: Recipe) -> str:
        """JSON text, equal for equal recipes."""
        return str(recipe)

    def is_valid(self, recipe: Recipe) -> bool:
        """Whether the rules of drawing allow this recipe."""
        return recipe.states in self.states and obeys_the_rules(recipe)

    def random(self, generator: np.random.Generator) -> Recipe:
        """One recipe. Recipes differ in how probable they are.

        Raises:
            ValueError: no valid one in `MAX_TRIES` draws.
        """
        states = int(generator.choice(self.states))
        intermediate = int(generator.choice(self.intermediate_nodes))
        for _ in range(MAX_TRIES):
            nodes = _named(_grown(generator, states, states + intermediate), states, generator)
            if len(nodes) <= MAX_NODES:
                recipe = Recipe(nodes)
                if self.is_valid(recipe):
                    return recipe
        raise ValueError(f"no recipe of {states} states and {intermediate} more nodes in {MAX_TRIES} draws")

    def sample(self, n: int, *, seed: int | np.random.Generator) -> list[Recipe]:
        """`n` different recipes; raises ValueError if they are not found in `MAX_TRIES` draws beyond 10 n."""
        generator = np.random.default_rng(seed)
        found: dict[Recipe, None] = {}
        for _ in range(MAX_TRIES + 10 * n):
            if len(found) >= n:
                return list(found)
            found.setdefault(self.random(generator))
        raise ValueError(f"{n} recipes asked of space {self.name}; {len(found)} found")

    def mutate(self, recipe: Recipe, generator: np.random.Generator) -> Recipe:
        """A valid recipe that differs by one change, see `hwnas.spaces.nasbenchnlp_mutation`.

        Raises:
            ValueError: `recipe` itself is not valid, or no valid one in `MAX_TRIES` tries.
        """
        if not self.is_valid(recipe):
            raise ValueError(f"recipe {recipe} breaks the rules of space {self.name}")
        for _ in range(MAX_TRIES):
            mutant = changed(recipe, generator)
            if mutant is not None and mutant != recipe and self.is_valid(mutant):
                return mutant
        raise ValueError(f"no valid recipe one change from {recipe} in {MAX_TRIES} tries")


def _grown(generator: np.random.Generator, states: int, size: int) -> list[Node]:
    """`size` nodes, or one more: the activation of the last."""
    previous = [f"h_prev_{i}" for i in range(states)]
    nodes: list[Node] = []
    while len(nodes) < size:
        op = str(generator.choice(OPERATIONS, p=np.array(WEIGHTS) / sum(WEIGHTS)))
        allowed = candidates(op, nodes, previous)
        if op == "linear":
            wanted = int(generator.choice(LINEAR_INPUTS, p=np.array(LINEAR_WEIGHTS) / sum(LINEAR_WEIGHTS)))
            inputs = _chosen(allowed, min(wanted, len(allowed)), generator)
            linear = Node(f"node_{len(nodes)}", op, inputs)
            activation = str(generator.choice(ACTIVATIONS))
            nodes += [linear, Node(f"node_{len(nodes) + 1}", activation, (linear.name,))]
        elif len(allowed) >= ARITY[op]:
            nodes.append(Node(f"node_{len(nodes)}", op, _chosen(allowed, ARITY[op], generator)))
    return nodes


def _chosen(names: Sequence[str], n: int, generator: np.random.Generator) -> tuple[str, ...]:
    return tuple(names[i] for i in generator.choice(len(names), n, replace=False))


def _named(nodes: list[Node], states: int, generator: np.random.Generator) -> tuple[Node, ...]:
    """The nodes that lead to a new state, of which `states` random ones are made."""
    outputs = generator.choice(len(nodes), states, replace=False)
    names = {node.name: node.name for node in nodes}
    names.update({nodes[output].name: f"h_new_{i}" for i, output in enumerate(outputs)})
    named = [
        Node(names[name], op, tuple(names.get(source, source) for source in inputs))
        for name, op, inputs in nodes
    ]
    kept = reaching(named)
    return tuple(node for node in named if node.name in kept)
