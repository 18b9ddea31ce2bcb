"""Put foreign graphs in order: topological order and usable names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter


def in_topological_order(nodes: Sequence[tuple[Sequence[str], Sequence[str]]]) -> list[int]:
    """Indices of nodes, given as (inputs, outputs), so that what a node reads comes before it.

    Raises:
        ValueError: a value is defined twice, or depends on itself.
    """
    producers: dict[str, int] = {}
    for index, (_, outputs) in enumerate(nodes):
        for name in outputs:
            if name and name in producers:
                raise ValueError(f"value {name!r} is defined twice")
            if name:
                producers[name] = index
    if all(
        producers.get(name, -1) < index for index, (inputs, _) in enumerate(nodes) for name in inputs if name
    ):
        return list(range(len(nodes)))
    sorter: TopologicalSorter[int] = TopologicalSorter()
    for index, (inputs, _) in enumerate(nodes):
        sorter.add(index, *(producers[name] for name in inputs if name and name in producers))
    try:
        return list(sorter.static_order())
    except CycleError as error:
        names = sorted({name for index in error.args[1] for name in nodes[index][1]})
        raise ValueError(f"the graph has a cycle through {', '.join(names[:5])}") from error


def path_names(names: Sequence[str]) -> list[str]:
    """Distinct dotted paths made of letters, digits and underscores, close to the given names.

    Slashes become dots, so that the scopes of an exported model become blocks.
    """
    taken: dict[str, int] = {}
    result = []
    for name in names:
        parts = [re.sub(r"\W", "_", part, flags=re.ASCII) for part in re.split(r"[./]", name) if part]
        path = ".".join(parts) or "layer"
        free = path
        while free in taken:
            free = f"{path}_{taken[path]}"
            taken[path] += 1
        taken[free] = 1
        result.append(free)
    return result
