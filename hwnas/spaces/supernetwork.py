"""A space as one network: a skeleton in which some blocks are mixtures of alternatives.

What is chosen is data: `groups` name the architecture parameters, and the weight of each alternative is a
product of sums of their probabilities. With one-hot probabilities a supernetwork is the network of one
architecture; in between, expectations of additive costs are exact, as if each group were drawn by itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from hwnas.network.builder import Builder
from hwnas.network.network import Block, Item, Network, Shape, join
from hwnas.spaces.cheapest import Table, cheapest

if TYPE_CHECKING:
    from hwnas.spaces.architecture import Architecture
    from hwnas.spaces.space import SearchSpace

Probabilities = Mapping[str, npt.NDArray[np.float64]]
"""For each group the probabilities of its choices: `[choices]`, not negative, summing to 1."""


@dataclass(frozen=True)
class Term:
    """The sum of the probabilities of these choices (indices) of a group."""

    group: str
    choices: tuple[int, ...]

    def weight(self, probabilities: Probabilities) -> float:
        """The sum."""
        return float(probabilities[self.group][list(self.choices)].sum())


@dataclass(frozen=True)
class Candidate:
    """An alternative for a block, and what its weight is the product of.

    Attributes:
        network: takes and gives what the block does; without layers it is the identity. None gives zeros.
        terms: no two of one group.
    """

    network: Network | None
    terms: tuple[Term, ...]

    def weight(self, probabilities: Probabilities) -> float:
        """The product of the terms: the probability that this candidate is chosen."""
        return math.prod(term.weight(probabilities) for term in self.terms)

    def is_chosen(self, choices: Mapping[str, int]) -> bool:
        """Whether these choices, an index for each group, stand for this candidate."""
        return all(choices[term.group] in term.choices for term in self.terms)


@dataclass(frozen=True, eq=False)
class Supernetwork:
    """All networks of a space in one. Groups are decisions of the space, unless a subclass says otherwise.

    Attributes:
        space: whose networks these are.
        skeleton: a network with one candidate in place of each mixture.
        groups: the labels of each group's choices.
        mixtures: the candidates of the blocks of these paths; a block has one input and one output. The
            weights of a block's candidates sum to 1. Parameters of a candidate are called as those of the
            block in the network of an architecture.

    Raises:
        ValueError: a mixture stands for no such block, a candidate does not fit in its place, a term is not
            of a group, or the weights of some candidates do not sum to 1.
    """

    space: SearchSpace
    skeleton: Network
    groups: Mapping[str, tuple[str, ...]]
    mixtures: Mapping[str, tuple[Candidate, ...]]

    def __post_init__(self) -> None:
        check(self)

    def choices(self, architecture: Architecture) -> dict[str, int]:
        """The choice of each group that makes the network of `architecture`."""
        return {group: architecture.encoding[self.space.position(group)] for group in self.groups}

    def one_hot(self, architecture: Architecture) -> dict[str, npt.NDArray[np.float64]]:
        """`choices` as probabilities of 0 and 1."""
        chosen = self.choices(architecture)
        return {group: np.eye(len(labels))[chosen[group]] for group, labels in self.groups.items()}

    def derive(self, probabilities: Probabilities) -> Architecture:
        """The architecture of each group's most probable choice, the first among equals."""
        encoding = [0] * len(self.space.choices)
        for group in self.groups:
            encoding[self.space.position(group)] = int(np.argmax(probabilities[group]))
        return self.space.from_encoding(encoding)

    def network(self, choices: Mapping[str, int]) -> Network:
        """The skeleton with the chosen candidates put in; zeros are layers, and what they add to is as well.

        Args:
            choices: an index for each group.
        """
        chosen = {
            path: next(candidate.network for candidate in candidates if candidate.is_chosen(choices))
            for path, candidates in self.mixtures.items()
        }
        return _put(self.skeleton, chosen, "")

    def weights(self, probabilities: Probabilities) -> dict[str, npt.NDArray[np.float64]]:
        """The weights of each mixture's candidates: `[candidates]`."""
        return {
            path: np.array([candidate.weight(probabilities) for candidate in candidates])
            for path, candidates in self.mixtures.items()
        }

    @cached_property
    def fixed(self) -> tuple[Network, ...]:
        """The innermost blocks of the skeleton outside its mixtures, one for each time that they occur."""
        inside = tuple(f"{path}." for path in self.mixtures)
        return tuple(network for path, network in self.skeleton.blocks() if not f"{path}.".startswith(inside))

    def expected(self, cost: Callable[[Network], float], probabilities: Probabilities) -> float:
        """The expectation of a cost that is a sum over blocks, such as FLOPs and parameters.

        That is Σ_(fixed) cost + Σ_(mixtures) Σ_o weight_o · cost_o, as FBNet (Wu et al., CVPR 2019) has it
        of latency. With one-hot probabilities it is the cost of that architecture as written,
        layers that its output does not depend on included; the sums over a node's edges count in full.
        """
        weights = self.weights(probabilities)
        mixed = sum(
            weight * cost(candidate.network)
            for path, candidates in self.mixtures.items()
            for weight, candidate in zip(weights[path], candidates, strict=True)
            if candidate.network is not None
        )
        return float(sum(map(cost, self.fixed)) + mixed)

    def cheapest(self, cost: Callable[[Network], float]) -> Architecture:
        """The architecture for which a cost that is a sum over blocks is least; exact.

        The dearest one is the cheapest for the negative of the cost.
        """
        sizes = {group: len(labels) for group, labels in self.groups.items()}
        tables = [_table(candidates, cost, sizes) for candidates in self.mixtures.values()]
        chosen = cheapest(sizes, tables)
        return self.derive({group: np.eye(size)[chosen[group]] for group, size in sizes.items()})


def _table(
    candidates: Sequence[Candidate], cost: Callable[[Network], float], sizes: Mapping[str, int]
) -> Table:
    """The cost of the chosen candidate, for each combination of choices."""
    groups = tuple(dict.fromkeys(term.group for candidate in candidates for term in candidate.terms))
    values = np.zeros([sizes[group] for group in groups])
    for candidate in candidates:
        if candidate.network is not None:
            chosen = {term.group: term.choices for term in candidate.terms}
            values[np.ix_(*(chosen.get(group, range(sizes[group])) for group in groups))] = cost(
                candidate.network
            )
    return Table(groups, values)


def _put(network: Network, chosen: Mapping[str, Network | None], prefix: str) -> Network:
    items = tuple(_put_item(item, chosen, prefix) for item in network.items)
    if all(new is old for new, old in zip(items, network.items, strict=True)):
        return network
    return Network(network.inputs, network.outputs, items, network.own_parameters)


def _put_item(item: Item, chosen: Mapping[str, Network | None], prefix: str) -> Item:
    if not isinstance(item, Block):
        return item
    path = join(prefix, item.name)
    if path in chosen:
        return item._replace(network=chosen[path] or _zeros(item.network))
    inner = _put(item.network, chosen, path)
    return item if inner is item.network else item._replace(network=inner)


def _zeros(like: Network) -> Network:
    b = Builder()
    b.input(*like.inputs[0].shape)
    return b.build(b.zeros(*like.outputs[0].shape))


def every_block(network: Network, prefix: str = "") -> Iterator[tuple[str, Network]]:
    """All blocks of `network` in order with their paths, each before those inside it."""
    for item in network.items:
        if isinstance(item, Block):
            path = join(prefix, item.name)
            yield path, item.network
            yield from every_block(item.network, path)


def check(supernetwork: Supernetwork) -> None:
    """Raise ValueError unless the candidates fit (see `Supernetwork`)."""
    groups, blocks = supernetwork.groups, dict(every_block(supernetwork.skeleton))
    generator = np.random.default_rng(0)
    drawn = {group: generator.dirichlet(np.ones(len(labels))) for group, labels in groups.items()}
    for path, candidates in supernetwork.mixtures.items():
        if path not in blocks:
            raise ValueError(f"mixture {path}: the skeleton has no such block; it has {', '.join(blocks)}")
        place = _shapes(blocks[path])
        if len(place) != 2:
            raise ValueError(f"mixture {path}: a block of one input and one output expected")
        for candidate in candidates:
            if candidate.network is not None and _shapes(candidate.network) != place:
                found = _shapes(candidate.network)
                raise ValueError(f"mixture {path}: a candidate of shapes {found} in the place of {place}")
            for term in candidate.terms:
                if not set(term.choices) <= set(range(len(groups.get(term.group, ())))):
                    raise ValueError(f"mixture {path}: no group {term.group} with choices {term.choices}")
        total = sum(candidate.weight(drawn) for candidate in candidates)
        if not math.isclose(total, 1):
            raise ValueError(f"mixture {path}: the weights of its candidates do not always sum to 1")


def _shapes(network: Network) -> list[Shape]:
    return [value.shape for value in (*network.inputs, *network.outputs)]


def no_supernetwork(space: SearchSpace, decisions: Sequence[str], why: str) -> ValueError:
    """The error of a space that has no supernetwork for these decisions."""
    return ValueError(f"space {space.name} has no supernetwork: {', '.join(decisions)} {why}")
