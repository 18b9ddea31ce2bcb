"""A supernetwork in which only some choices remain, as a network: what proxies score."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np

from hwnas.differentiable.supernet.replaced import replaced
from hwnas.network.builder import Builder
from hwnas.network.network import Block, Item, Layer, Network, Value
from hwnas.spaces.architecture import Architecture
from hwnas.spaces.supernetwork import Candidate, Supernetwork

Remaining: TypeAlias = Mapping[str, tuple[int, ...]]
"""By group the choices that are left, in order; where there are none its mixtures give zeros."""

Removal: TypeAlias = tuple[str, int]
"""A group, and a choice of it that is to go."""


def without(remaining: Remaining, removal: Removal) -> dict[str, tuple[int, ...]]:
    """What remains after a removal."""
    group, gone = removal
    return {**remaining, group: tuple([choice for choice in remaining[group] if choice != gone])}


def remaining_architecture(supernetwork: Supernetwork, remaining: Remaining) -> Architecture:
    """The architecture of what remains, with equal probabilities for the choices of a group.

    A group that nothing remains of has the probability 0 for each of its choices.
    """
    shares = {}
    for group, labels in supernetwork.groups.items():
        shares[group] = np.zeros(len(labels))
        shares[group][list(remaining[group])] = 1 / max(1, len(remaining[group]))
    return supernetwork.derive(shares)


def reduced_network(supernetwork: Supernetwork, remaining: Remaining) -> Network:
    """The skeleton in which each mixture is the mean of its remaining candidates.

    A candidate's name is its place in the mixture, as in `candidate2`, whatever else remains: networks of
    which different choices remain call their parameters alike.
    """

    def mean(path: str, block: Block) -> Item | None:
        if path not in supernetwork.mixtures:
            return None
        candidates = supernetwork.mixtures[path]
        left = {
            number: candidate.network
            for number, candidate in enumerate(candidates)
            if _remains(candidate, remaining)
        }
        return block._replace(network=_mean(left, block.network))

    return replaced(supernetwork.skeleton, mean)


def _remains(candidate: Candidate, remaining: Remaining) -> bool:
    return all(set(term.choices) & set(remaining[term.group]) for term in candidate.terms)


def _mean(candidates: Mapping[int, Network | None], like: Network) -> Network:
    """The mean of networks that take one value to one shape; None is one of zeros, and so is no network."""
    (source,), (target,) = like.inputs, like.outputs
    items: list[Item] = []
    results: list[str] = []
    for number, network in (candidates or {0: None}).items():
        value = Value(f"candidate{number}", target.shape)
        network = network or _zeros(source, target)
        items.append(Block(value.name, network, (source.name,), (value,)))
        results.append(value.name)
    if len(results) == 1:
        return Network((source,), (Value(results[0], target.shape),), tuple(items), {})
    output = Value("mean", target.shape)
    items.append(Layer("mean", "Mean", tuple(results), (output,), {}))
    return Network((source,), (output,), tuple(items), {})


def _zeros(source: Value, target: Value) -> Network:
    b = Builder()
    b.input(*source.shape)
    return b.build(b.zeros(*target.shape))
