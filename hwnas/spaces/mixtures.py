"""What supernetworks are described with: candidates are made by what makes the blocks of networks."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hwnas.network.builder import Builder
from hwnas.network.network import Block, Network, Shape, Value
from hwnas.spaces.space import SearchSpace
from hwnas.spaces.supernetwork import Candidate, Supernetwork, Term, every_block


def candidate_network(shape: Shape, describe: Callable[..., Value], **arguments: Any) -> Network:
    """The block that `describe(builder, x, **arguments)` adds for an x of `shape`, or the identity."""
    b = Builder()
    network = b.build(describe(b, b.input(*shape), **arguments))
    only = network.items[0] if len(network.items) == 1 else None
    return only.network if isinstance(only, Block) else network


def layer_mixture(
    space: SearchSpace,
    depth: str,
    layer: int,
    decisions: Sequence[str],
    shape: Shape,
    network: Callable[..., Network],
) -> tuple[Candidate, ...]:
    """A candidate for each combination of choices of a layer, and the identity for depths without it.

    Args:
        space: whose layer it is.
        depth: the decision of the number of layers in its stage.
        layer: its number in the stage, counted from 0.
        decisions: those of the layer itself.
        shape: what it takes.
        network: the layer's block, of an index for each of `decisions`.
    """
    depths: Any = space.choices[space.position(depth)]
    there = [index for index, layers in enumerate(depths) if layers > layer]
    sizes = [len(space.choices[space.position(decision)]) for decision in decisions]
    candidates = []
    for indices in itertools.product(*map(range, sizes)):
        chosen = {decision: [index] for decision, index in zip(decisions, indices, strict=True)}
        candidates.append(Candidate(network(*indices), _terms(space, {depth: there, **chosen})))
    absent = [index for index in range(len(depths)) if index not in there]
    if absent:
        unchanged = candidate_network(shape, _unchanged)
        candidates.append(Candidate(unchanged, _terms(space, {depth: absent})))
    return tuple(candidates)


def _unchanged(b: Builder, x: Value) -> Value:
    return x


def _terms(space: SearchSpace, chosen: Mapping[str, Sequence[int]]) -> tuple[Term, ...]:
    """A term for each decision of which not all choices are among those given."""
    return tuple(
        Term(decision, tuple(choices))
        for decision, choices in chosen.items()
        if len(choices) < len(space.choices[space.position(decision)])
    )


def supernetwork_of_stages(
    space: SearchSpace,
    skeleton: Network,
    depths: Sequence[int],
    mixture: Callable[[int, int, Shape], tuple[Candidate, ...]],
) -> Supernetwork:
    """The supernetwork of blocks `stagei.blockj`, i counted from 1 and j from 0.

    Args:
        space: whose networks it holds.
        skeleton: the network of the deepest stages.
        depths: how many blocks the stages have in it.
        mixture: the candidates of a block, of i, j and the shape that it takes; where there is but one, the
            block is no mixture.
    """
    blocks = dict(every_block(skeleton))
    mixtures = {}
    for i, depth in enumerate(depths, start=1):
        for j in range(depth):
            path = f"stage{i}.block{j}"
            candidates = mixture(i, j, blocks[path].inputs[0].shape)
            if len(candidates) > 1:
                mixtures[path] = candidates
    return Supernetwork(space, skeleton, groups_of(space), mixtures)


def groups_of(space: SearchSpace) -> dict[str, tuple[str, ...]]:
    """A group for each decision that has more than one choice."""
    return {
        decision: tuple(map(str, choices))
        for decision, choices in zip(space.decisions, space.choices, strict=True)
        if len(choices) > 1
    }


def edge_mixtures(
    skeleton: Network,
    group_of: Callable[[str], str | None],
    candidates: Callable[[Network], Sequence[Network | None]],
) -> dict[str, tuple[Candidate, ...]]:
    """Mixtures with a candidate for each choice of a group, in its order.

    Args:
        skeleton: where they stand.
        group_of: the group of the block of a path, or None where it is fixed.
        candidates: those that can take the place of a block of the skeleton.
    """
    mixtures = {}
    for path, block in every_block(skeleton):
        group = group_of(path)
        if group is not None:
            mixtures[path] = tuple(
                Candidate(network, (Term(group, (choice,)),))
                for choice, network in enumerate(candidates(block))
            )
    return mixtures
