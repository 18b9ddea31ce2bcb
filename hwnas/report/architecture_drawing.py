"""An architecture as drawings: cells as graphs, other networks as a chain of blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from hwnas.network.network import Block
from hwnas.report.cell_drawing import Edge, cell_drawing
from hwnas.report.chain_drawing import Step, chain_drawing
from hwnas.report.colours import GREY, PAPER
from hwnas.report.differentiable_answer import Answer, colours_of
from hwnas.report.drawing import Drawing
from hwnas.spaces.supernetwork import Candidate

_EDGE = re.compile(r"^(?:(.+)_)?(\d+)→(\d+)$")
_NUMBERS = re.compile(r"(_\d+)+$")


def drawings(answer: Answer) -> list[Drawing]:
    """A drawing for each kind of cell whose edges the groups are (`0→1`, `normal_0→2`), else one chain."""
    edges = {group: _EDGE.match(group) for group in answer.supernetwork.groups}
    if not all(edges.values()):
        return [chain_drawing("The network, block by block", list(_steps(answer)))]
    colours = colours_of(answer.supernetwork.groups)
    cells: dict[str, list[Edge]] = {}
    for group, match in edges.items():
        assert match is not None
        label = answer.supernetwork.groups[group][answer.choices[group]]
        edge = Edge(int(match[2]), int(match[3]), label, colours[label])
        cells.setdefault(match[1] or "", []).append(edge)
    return [cell_drawing(f"The {kind} cell" if kind else "The cell", found) for kind, found in cells.items()]


def _steps(answer: Answer) -> Iterator[Step]:
    """The blocks in order, with what was chosen for each."""
    supernetwork = answer.supernetwork
    colours = colours_of(supernetwork.groups)
    for item in supernetwork.skeleton.items:
        if not isinstance(item, Block):
            continue
        inside = [path for path in supernetwork.mixtures if f"{path}.".startswith(f"{item.name}.")]
        if not inside:
            yield Step(item.name, "fixed", GREY, is_there=True)
        for path in inside:
            candidates = supernetwork.mixtures[path]
            chosen = next(one for one in candidates if one.is_chosen(answer.choices))
            labels = _labels(answer, path, chosen)
            is_there = chosen.network is not None and bool(chosen.network.items)
            alone = next(iter(labels.values())) if len(labels) == 1 else ""
            text = alone or (_described(labels) if is_there else "left out")
            yield Step(path, text, colours.get(alone, PAPER), is_there)


def _labels(answer: Answer, path: str, chosen: Candidate) -> dict[str, str]:
    """The label of each choice that is of this block alone, by group."""
    shared = _groups([one for other, found in answer.supernetwork.mixtures.items() if other != path
                      for one in found])  # fmt: skip
    own = {term.group for term in chosen.terms} - shared
    groups: Mapping[str, Sequence[str]] = answer.supernetwork.groups
    return {term.group: groups[term.group][term.choices[0]] for term in chosen.terms if term.group in own}


def _groups(candidates: Sequence[Candidate]) -> set[str]:
    return {term.group for candidate in candidates for term in candidate.terms}


def _described(labels: Mapping[str, str]) -> str:
    """`kernel 5, expansion 4` of `kernel_1_2` and `expansion_1_2`."""
    return ", ".join(f"{_NUMBERS.sub('', group)} {label}" for group, label in labels.items())
