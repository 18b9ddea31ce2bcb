"""New architectures to consider: relatives of the best, and random ones."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from itertools import islice

import numpy as np

from hwnas.search.screen import Screen
from hwnas.search.strategies.candidates import first_feasible
from hwnas.spaces import Architecture, SearchSpace


def drawn(
    space: SearchSpace,
    best: Sequence[Architecture],
    size: int,
    screen: Screen | None,
    known: Container[Architecture],
    generator: np.random.Generator,
) -> list[Architecture]:
    """`size` new architectures or fewer: neighbours, crossovers and mutants of the `best`, and random ones.

    Those that break a cheap constraint are left out, but for the nearest where nothing else is found.
    """
    draws = _draws(space, best, generator)
    found: dict[Architecture, None] = {}
    for architecture in islice(draws, 4 * size):
        if architecture not in known and (screen is None or screen.violation(architecture) == 0):
            found[architecture] = None
        if len(found) == size:
            break
    if found:
        return list(found)
    nearest = first_feasible(lambda: next(draws), screen, known)
    return [] if nearest is None else [nearest]


def _draws(
    space: SearchSpace, best: Sequence[Architecture], generator: np.random.Generator
) -> Iterator[Architecture]:
    def one() -> Architecture:
        return best[int(generator.integers(len(best)))]

    kinds: list[Callable[[], Architecture]] = [lambda: space.random(generator)]
    if best:
        kinds += [
            lambda: space.mutate(one(), generator),
            lambda: space.redraw(one(), 0.1, generator),
            lambda: space.redraw(space.crossover(one(), one(), generator), 0.02, generator),
        ]
    while True:
        for kind in kinds:
            yield kind()
