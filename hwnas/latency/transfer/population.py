"""Networks that stand for a whole space."""

from __future__ import annotations

from hwnas.network.network import Network
from hwnas.spaces import Architecture, SearchSpace

SIZE = 1000


def architectures(space: SearchSpace) -> list[Architecture]:
    """`SIZE` random architectures of the space, always the same, or all of it where it has fewer."""
    return space.sample(min(SIZE, space.size) if space.is_small else SIZE, seed=0)


def population(space: SearchSpace) -> list[Network]:
    """The networks of `architectures`."""
    return [architecture.network for architecture in architectures(space)]
