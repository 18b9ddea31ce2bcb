"""Greedy placement: each buffer at the lowest address at which nothing that lives with it is in the way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def first_fit(
    sizes: Sequence[int], births: Sequence[int], deaths: Sequence[int], order: Iterable[int]
) -> list[int]:
    """Offsets in bytes of buffers that are placed one after the other.

    Args:
        sizes: bytes of each buffer.
        births: the first step that each lives in, from 0 on.
        deaths: the last step that each lives in.
        order: which buffers to place, and in which order; the others stay at 0.

    The steps between birth and death are looked at, not the other buffers: many short lives are quick.
    """
    steps = max(deaths, default=-1) + 1
    alive: list[list[tuple[int, int]]] = [[] for _ in range(steps)]
    born: list[list[tuple[int, int]]] = [[] for _ in range(steps)]
    offsets = [0] * len(sizes)
    for buffer in order:
        size, birth, death = sizes[buffer], births[buffer], deaths[buffer]
        in_the_way = alive[birth].copy()
        for step in range(birth + 1, death + 1):
            in_the_way += born[step]
        in_the_way.sort()
        offset = 0
        for start, end in in_the_way:
            if start - offset >= size:
                break
            if end > offset:
                offset = end
        offsets[buffer] = offset
        place = (offset, offset + size)
        born[birth].append(place)
        for step in range(birth, death + 1):
            alive[step].append(place)
    return offsets


def highest_end(sizes: Sequence[int], offsets: Sequence[int]) -> int:
    """Bytes that the placed buffers take together."""
    return max([offset + size for offset, size in zip(offsets, sizes, strict=True)], default=0)


def largest_first(sizes: Sequence[int]) -> list[int]:
    """The buffers by size, the largest first; of equal ones the first comes first."""
    return sorted(range(len(sizes)), key=sizes.__getitem__, reverse=True)


def largest_and_last_first(sizes: Sequence[int]) -> list[int]:
    """The buffers by size, the largest first; of equal ones the last comes first."""
    return sorted(range(len(sizes) - 1, -1, -1), key=sizes.__getitem__, reverse=True)
