"""The candidates of a search: all of a small space, or relatives of the best and random ones of a large."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from itertools import islice

import numpy as np

from hwnas.objectives import Metric
from hwnas.search.screen import Screen
from hwnas.search.strategies.candidates import first_feasible
from hwnas.spaces import Architecture, SearchSpace

POOL = 400
DEAR_POOL = 60
"""Candidates considered for one proposal in a large space; fewer where a proxy is expensive."""


def whole(space: SearchSpace, proxies: Sequence[Metric], screen: Screen | None) -> list[Architecture] | None:
    """All architectures that keep the cheap constraints; None where these are too many to go through.

    Where none keeps them, all.
    """
    if not space.is_small or any(proxy.expensive for proxy in proxies):
        return None
    everything = list(space)
    if screen is None or not screen.objective.constraints:
        return everything
    return [one for one in everything if screen.violation(one) == 0] or everything


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
