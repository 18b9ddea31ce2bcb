"""The evolutionary search of once-for-all (Cai et al., ICLR 2020) and MCUNet (Lin et al., NeurIPS 2020)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from hwnas.objectives import Fitness, Objective
from hwnas.search.strategies.candidates import check_population, feasible_or_any
from hwnas.search.strategy import Proposal, Strategy, register
from hwnas.spaces import Architecture, SearchSpace


@register("genetic")
class GeneticSearch(Strategy):
    """Generations of mutants and crossovers of the best; candidates over budget are drawn again.

    The first generation is random. Of all that is known the best `parents` breed: half of a generation are
    mutants, each decision redrawn with probability `mutation`, half are crossovers of two parents. A
    candidate that breaks a cheap constraint is drawn again, `TRIES` times at most; then the nearest to
    the bounds is proposed. MCUNet's settings are the defaults: 100, 20 and 0.1, over 30 generations.

    Args:
        space: where to search.
        objective: what for.
        population: size of a generation.
        parents: how many of the best breed.
        mutation: probability that a decision of a mutant is redrawn.
        seed: of all draws.

    Raises:
        ValueError: sizes that do not fit each other, or a mutation that is no probability above 0.
    """

    def __init__(
        self,
        space: SearchSpace,
        objective: Objective,
        *,
        population: int = 100,
        parents: int = 20,
        mutation: float = 0.1,
        seed: int = 0,
    ) -> None:
        super().__init__(space, objective, seed=seed)
        check_population(population)
        if not 2 <= parents <= population:
            raise ValueError(f"parents must be from 2 to the population of {population}, not {parents}")
        if not 0 < mutation <= 1:
            raise ValueError(f"mutation must be above 0 and at most 1, not {mutation}")
        self.population, self.parents, self.mutation = population, parents, mutation
        self._generator = np.random.default_rng(seed)
        self._random = partial(space.random, self._generator)
        self._asked = 0
        self._told = 0
        self._best: list[tuple[Fitness, Architecture]] = []
        self._proposed: set[Architecture] = set()

    def settings(self) -> Mapping[str, Any]:
        """Sizes and the mutation's probability."""
        return {"population": self.population, "parents": self.parents, "mutation": self.mutation}

    def ask(self) -> Proposal | None:
        """A member of the generation under way; None until all of the generation before are told."""
        position = self._asked % self.population
        if self._asked and position == 0 and self._told < self._asked:
            return None
        breed = self._mutant if position < self.population // 2 else self._crossover
        draw = self._random if self._asked < self.population else breed
        architecture = feasible_or_any(draw, self.screen, self._proposed)
        self._asked += 1
        self._proposed.add(architecture)
        return Proposal(architecture, self.objective.maximize)

    def tell(self, proposal: Proposal, metrics: Mapping[str, float]) -> None:
        """Keep it if it is among the best."""
        self._told += 1
        self._best.append((self.objective.fitness(metrics), proposal.architecture))
        if self._told % self.population == 0:
            self._best.sort(key=lambda member: member[0], reverse=True)
            del self._best[self.parents :]

    def _mutant(self) -> Architecture:
        return self.space.redraw(self._parent(), self.mutation, self._generator)

    def _crossover(self) -> Architecture:
        """A child of two parents, or a mutant of it where it is known already."""
        child = self.space.crossover(self._parent(), self._parent(), self._generator)
        known = child in self._proposed
        return self.space.redraw(child, self.mutation, self._generator) if known else child

    def _parent(self) -> Architecture:
        return self._best[int(self._generator.integers(min(self.parents, len(self._best))))][1]
