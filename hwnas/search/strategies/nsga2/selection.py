"""Who survives and who breeds (Deb et al., "NSGA-II", IEEE TEC 2002, sections III-B and III-C)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hwnas.search.strategies.nsga2.crowding import crowding_distance
from hwnas.search.strategies.nsga2.sorting import fast_non_dominated_sort
from hwnas.spaces import Architecture


@dataclass(frozen=True)
class Member:
    """An evaluated architecture.

    Attributes:
        architecture: itself.
        costs: what is minimised; meaningless where it is infeasible.
        violation: 0 where it is feasible, infinite where a value is undefined.
    """

    architecture: Architecture
    costs: tuple[float, ...]
    violation: float


@dataclass(frozen=True)
class Ranked:
    """A member, the number of its front (0 is the best), and its crowding distance in it."""

    member: Member
    front: int
    crowding: float

    @property
    def order(self) -> tuple[int, float]:
        """Less is better: the crowded-comparison operator."""
        return self.front, -self.crowding


def survivors(members: Sequence[Member], size: int) -> list[Ranked]:
    """The best `size` members: front after front, of the last that fits in part the least crowded."""
    costs = np.array([member.costs for member in members], dtype=np.float64)
    violations = np.array([member.violation for member in members])
    kept: list[Ranked] = []
    for number, front in enumerate(fast_non_dominated_sort(costs, violations)):
        feasible = violations[front[0]] == 0
        crowding = crowding_distance(costs[front]) if feasible else np.zeros(len(front))
        least_crowded_first = np.argsort(-crowding, kind="stable")[: size - len(kept)]
        kept += [Ranked(members[front[i]], number, float(crowding[i])) for i in least_crowded_first]
        if len(kept) >= size:
            break
    return kept


def tournament(population: Sequence[Ranked], generator: np.random.Generator) -> Architecture:
    """The better of two random members: of the better front, or else less crowded, or else the first."""
    first = population[int(generator.integers(len(population)))]
    second = population[int(generator.integers(len(population)))]
    return (second if second.order < first.order else first).member.architecture
