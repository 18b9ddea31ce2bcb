"""Which blocks a space is made of."""

from __future__ import annotations

import numpy as np

from hwnas.network.network import Network
from hwnas.spaces.space import SearchSpace

PATIENCE = 500


def distinct_blocks(space: SearchSpace, *, seed: int = 0) -> dict[str, tuple[str, Network]]:
    """The innermost blocks of a space by canonical key, each with the path at which it was seen first.

    Draws architectures until `PATIENCE` of them in a row hold nothing new, so a block that fewer than
    about one architecture in a hundred has can be missed.
    """
    generator = np.random.default_rng(seed)
    found: dict[str, tuple[str, Network]] = {}
    seen: set[Network] = set()
    fruitless = 0
    while fruitless < PATIENCE:
        fruitless += 1
        for path, block in space.random(generator).network.blocks():
            if block in seen:
                continue
            seen.add(block)
            if block.key not in found:
                found[block.key] = (path, block)
                fruitless = 0
    return found
