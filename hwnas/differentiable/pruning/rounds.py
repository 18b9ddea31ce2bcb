"""Pruning a supernetwork by importance, until one choice of each group is left.

Chen et al., "Neural Architecture Search on ImageNet in Four GPU Hours: A Theoretically Inspired Perspective"
(TE-NAS), ICLR 2021, algorithm 1, as their release has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

from hwnas.differentiable.pruning.reduced import Remaining, Removal, without

Harms: TypeAlias = Mapping[Removal, float]
"""By removal how much worse the supernetwork is without it; negative where it is better."""

Measure: TypeAlias = Callable[[Remaining, Sequence[Removal]], Harms]
"""The harm of each of some removals from what remains."""


def pruned(
    remaining: Remaining, measures: Sequence[Measure], *, number: int = 1
) -> Iterator[dict[str, tuple[int, ...]]]:
    """What remains after each round, in which every group loses its least important choices.

    A choice's importance is the sum of its ranks among all choices of all groups, by the harm of its removal
    under each measure; see `importance`.

    Args:
        remaining: what to begin with; no group without a choice.
        measures: such as those of `hwnas.differentiable.pruning.tenas`.
        number: of choices that a group loses in a round, as long as one is left: 1 for NAS-Bench-201, 3 for
            DARTS on CIFAR-10 and 2 on ImageNet.

    Raises:
        ValueError: a `number` below 1, or a group without a choice.
    """
    if number < 1:
        raise ValueError(f"number must be at least 1, not {number}")
    empty = [group for group, choices in remaining.items() if not choices]
    if empty:
        raise ValueError(f"remaining must hold a choice of every group; there is none of {', '.join(empty)}")
    left = dict(remaining)
    while open_groups := {group: choices for group, choices in left.items() if len(choices) > 1}:
        removals = [(group, choice) for group, choices in open_groups.items() for choice in choices]
        ranks = importance([measure(left, removals) for measure in measures])
        for group, choices in open_groups.items():
            least = sorted(choices, key=lambda choice: ranks[group, choice])
            for choice in least[: min(number, len(choices) - 1)]:
                left = without(left, (group, choice))
        yield dict(left)


def without_edges(
    remaining: Remaining, edges: Sequence[str], measures: Sequence[Measure], *, keep: int = 2
) -> dict[str, tuple[int, ...]]:
    """What remains when of these groups, each of one choice, only the `keep` most important ones have any.

    TE-NAS' last step on DARTS' cells: the edges into a node are two.

    Raises:
        ValueError: a group of `edges` with another number of choices than one.
    """
    several = [edge for edge in edges if len(remaining[edge]) != 1]
    if several:
        raise ValueError(f"edges must have one choice left each; not so {', '.join(several)}")
    removals = [(edge, remaining[edge][0]) for edge in edges]
    ranks = importance([measure(remaining, removals) for measure in measures])
    left = dict(remaining)
    for removal in sorted(removals, key=lambda one: ranks[one])[: max(0, len(edges) - keep)]:
        left = without(left, removal)
    return left


def importance(harms: Sequence[Harms]) -> dict[Removal, tuple[int, int]]:
    """The sum over measures of a removal's rank by its harm, and that by the first measure to settle ties.

    Ranks are from 0 for the least; equal harms share one.

    Args:
        harms: of the same removals by each measure.
    """
    ranks = [_ranks(by_removal) for by_removal in harms]
    return {removal: (sum(one[removal] for one in ranks), ranks[0][removal]) for removal in harms[0]}


def _ranks(harms: Harms) -> dict[Removal, int]:
    ranks = {harm: rank for rank, harm in enumerate(sorted(set(harms.values())))}
    return {removal: ranks[harm] for removal, harm in harms.items()}
