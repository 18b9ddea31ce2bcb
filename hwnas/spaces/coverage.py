"""Which blocks a space is made of."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from hwnas.network.network import Network
from hwnas.spaces.architecture import Architecture
from hwnas.spaces.space import SearchSpace

PATIENCE = 500


def distinct_blocks(space: SearchSpace, *, seed: int = 0) -> dict[str, tuple[str, Network]]:
    """The innermost blocks of a space by canonical key, each with the path at which it was seen first.

    Small spaces are gone through. In others architectures are drawn until `PATIENCE` of them in a row hold
    nothing new, so a block that fewer than about one architecture in a hundred has can be missed.
    """
    found: dict[str, tuple[str, Network]] = {}
    fruitless = 0
    for architecture in _architectures(space, seed):
        known = len(found)
        for path, block in architecture.network.blocks():
            found.setdefault(block.key, (path, block))
        fruitless = 0 if len(found) > known else fruitless + 1
        if fruitless == PATIENCE and not space.is_small:
            break
    return found


def _architectures(space: SearchSpace, seed: int) -> Iterator[Architecture]:
    if space.is_small:
        return iter(space)
    generator = np.random.default_rng(seed)
    return (space.random(generator) for _ in itertools.count())
