"""A point of a search space."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import TYPE_CHECKING

from hwnas.network.network import Network

if TYPE_CHECKING:
    from hwnas.spaces.space import SearchSpace

Choice = Hashable


class Architecture(Mapping[str, Choice]):
    """An immutable assignment of all decisions of a space: a mapping from decision to choice.

    Equal, and of equal hash, if the space and all choices are. `str` gives the text that
    `space.parse` reads.
    """

    __slots__ = ("_hash", "encoding", "space")

    def __init__(self, space: SearchSpace, encoding: tuple[int, ...]) -> None:
        self.space = space
        self.encoding = encoding
        self._hash = hash((space, encoding))

    def __getitem__(self, decision: str) -> Choice:
        position = self.space.position(decision)
        return self.space.choices[position][self.encoding[position]]

    def __iter__(self) -> Iterator[str]:
        return iter(self.space.decisions)

    def __len__(self) -> int:
        return len(self.encoding)

    @property
    def network(self) -> Network:
        """The network that it stands for."""
        return self.space.network(self)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Architecture) and self.encoding == other.encoding and self.space == other.space
        )

    def __hash__(self) -> int:
        return self._hash

    def __str__(self) -> str:
        return self.space.format(self)

    def __repr__(self) -> str:
        return f"<{self.space.name} {self}>"

    def __reduce__(self) -> tuple[type[Architecture], tuple[SearchSpace, tuple[int, ...]]]:
        return Architecture, (self.space, self.encoding)
