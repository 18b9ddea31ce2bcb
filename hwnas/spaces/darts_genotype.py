"""DARTS's genotypes (Liu et al., ICLR 2019): the two cells of a network as text.

`Genotype(normal=[('sep_conv_3x3', 0), ...], normal_concat=range(2, 6), reduce=[...],
reduce_concat=range(2, 6))`: two (operation, input) pairs for each of the four nodes, in order. Inputs 0
and 1 are the outputs of the two cells before, 2 to 5 the nodes.
"""

from __future__ import annotations

import ast
from typing import NamedTuple

OPERATIONS = (
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
)
NODES = (2, 3, 4, 5)
MAX_CHARACTERS = 4000
_FIELDS = ("normal", "normal_concat", "reduce", "reduce_concat")


class Edge(NamedTuple):
    """An operation on an input of the node that it leads to."""

    operation: str
    input: int


Node = tuple[Edge, Edge]
Cell = tuple[Node, ...]


class Genotype(NamedTuple):
    """The two cells: nodes 2 to 5, each with its two edges in the order of their inputs."""

    normal: Cell
    reduce: Cell

    def __str__(self) -> str:
        """The text that `parse_genotype` reads."""
        cells = [
            f"{kind}={[tuple(edge) for node in cell for edge in node]}, {kind}_concat=range(2, 6)"
            for kind, cell in zip(("normal", "reduce"), self, strict=True)
        ]
        return f"Genotype({', '.join(cells)})"


def parse_genotype(text: str) -> Genotype:
    """Read a genotype. The order of a node's two edges does not count.

    Raises:
        ValueError: the text is no genotype of this space; says which part and what would be right.
    """
    fields = _fields(text)
    for kind in ("normal", "reduce"):
        _require_all_nodes(f"{kind}_concat", fields[f"{kind}_concat"])
    return Genotype(_cell("normal", fields["normal"]), _cell("reduce", fields["reduce"]))


def _fields(text: str) -> dict[str, ast.expr]:
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"a genotype has at most {MAX_CHARACTERS} characters, not {len(text)}")
    try:
        call = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise ValueError(f"{text!r:.60} is no genotype: {error}") from error
    if not isinstance(call, ast.Call) or not _is_named(call, "Genotype"):
        raise ValueError(f"{text!r:.60} is no genotype: Genotype(normal=[...], ...) expected")
    names = [str(keyword.arg) for keyword in call.keywords]
    if call.args or sorted(names) != sorted(_FIELDS):
        raise ValueError(f"a genotype has the fields {', '.join(_FIELDS)}, each once, not {', '.join(names)}")
    return {str(keyword.arg): keyword.value for keyword in call.keywords}


def _is_named(call: ast.Call, name: str) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id == name


def _literal(name: str, value: ast.expr) -> object:
    try:
        return ast.literal_eval(value)
    except (ValueError, TypeError, MemoryError, RecursionError) as error:
        raise ValueError(f"{name} of a genotype must be a list of literals") from error


def _require_all_nodes(name: str, value: ast.expr) -> None:
    if isinstance(value, ast.Call) and _is_named(value, "range"):
        right = [_literal(name, bound) for bound in value.args] == [2, 6] and not value.keywords
    else:
        found = _literal(name, value)
        right = isinstance(found, list | tuple) and list(found) == list(NODES)
    if not right:
        raise ValueError(f"{name} must be range(2, 6), all nodes of the cell")


def _cell(kind: str, value: ast.expr) -> Cell:
    edges = _literal(kind, value)
    if not isinstance(edges, list | tuple) or len(edges) != 2 * len(NODES):
        raise ValueError(f"{kind} must list 8 (operation, input) pairs, two for each of the nodes 2 to 5")
    return tuple(_node(kind, node, edges[2 * i], edges[2 * i + 1]) for i, node in enumerate(NODES))


def _node(kind: str, node: int, *pairs: object) -> Node:
    first, second = sorted((_edge(kind, node, pair) for pair in pairs), key=lambda edge: edge.input)
    if first.input == second.input:
        raise ValueError(f"node {node} of {kind} takes input {first.input} twice; two inputs expected")
    return first, second


def _edge(kind: str, node: int, pair: object) -> Edge:
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise ValueError(f"{pair!r:.60} at node {node} of {kind}: (operation, input) expected")
    operation, source = pair
    if operation not in OPERATIONS:
        raise ValueError(
            f"{operation!r:.60} at node {node} of {kind} is no operation; choose from {', '.join(OPERATIONS)}"
        )
    if type(source) is not int or not 0 <= source < node:
        raise ValueError(f"input {source!r:.60} at node {node} of {kind}: one of 0 to {node - 1} expected")
    return Edge(operation, source)
