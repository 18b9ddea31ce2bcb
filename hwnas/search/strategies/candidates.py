"""Candidates that a strategy considers before it proposes one."""

from __future__ import annotations

from collections.abc import Callable, Container

import numpy as np

from hwnas.search.screen import Screen
from hwnas.spaces import Architecture, SearchSpace

TRIES = 200
UNDEFINED_TRIES = 8
"""Draws after which a cheap metric that was undefined for all of them is taken to be so for most."""


def first_feasible(
    draw: Callable[[], Architecture | None], screen: Screen | None, known: Container[Architecture]
) -> Architecture | None:
    """The first of `TRIES` draws that is not known and keeps the cheap constraints, or else the nearest.

    Fewer are drawn where the cheap metrics are undefined for the first `UNDEFINED_TRIES`.

    Args:
        draw: gives None where what it drew is no architecture of the space.
        screen: the cheap constraints; none where None.
        known: what is not wanted.

    Returns:
        None where all draws are known or none.
    """
    nearest: Architecture | None = None
    least = float("inf")
    looked_at = 0
    for _ in range(TRIES):
        architecture = draw()
        if architecture is None or architecture in known:
            continue
        violation = screen.violation(architecture) if screen else 0.0
        if violation == 0:
            return architecture
        if nearest is None or violation < least:
            nearest, least = architecture, violation
        looked_at += 1
        if looked_at == UNDEFINED_TRIES and least == float("inf"):
            break
    return nearest


def feasible_or_any(
    draw: Callable[[], Architecture], screen: Screen | None, known: Container[Architecture] = ()
) -> Architecture:
    """As `first_feasible`; where all draws are known, one more, whatever it is."""
    return first_feasible(draw, screen, known) or draw()


def check_population(population: int, *, least: int = 2, most: int = 1_000_000) -> None:
    """Raise ValueError unless a population has a size from `least` to `most`."""
    if not least <= population <= most:
        raise ValueError(f"population must be from {least} to {most:,}, not {population}")


def check_mutates(strategy: str, space: SearchSpace, generator: np.random.Generator) -> None:
    """Raise ValueError unless a random architecture of the space can become another."""
    try:
        space.mutate(space.random(generator), generator)
    except ValueError as error:
        raise ValueError(f"{strategy} mutates architectures: {error}; use the strategy random") from error


def check_neighbours(strategy: str, space: SearchSpace, generator: np.random.Generator) -> None:
    """Raise ValueError unless a random architecture of the space has a neighbour."""
    neighbours = getattr(space, "neighbours", None)
    if neighbours is None or next(iter(neighbours(space.random(generator))), None) is None:
        raise ValueError(
            f"{strategy} goes from neighbour to neighbour, and space {space.name} has no neighbours; "
            "use the strategy random"
        )
