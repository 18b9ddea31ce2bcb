"""NSGA-II (Deb et al., "A Fast and Elitist Multiobjective Genetic Algorithm", IEEE TEC 2002)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from hwnas.objectives import Metric, Objective
from hwnas.search.strategies.candidates import check_mutates, check_population, feasible_or_any
from hwnas.search.strategies.nsga2.selection import Member, Ranked, survivors, tournament
from hwnas.search.strategy import Proposal, Strategy, register
from hwnas.spaces import Architecture, SearchSpace

MOST_SORTED = 5_000
"""Sorting compares each member with each: some 300 MB for so many and their children."""


@register("nsga2")
class NSGA2(Strategy):
    """Generations that spread over the trade-off between the objective's metric and one or more costs.

    Parents and children together are sorted into fronts; the best survive, of equal ones the less crowded.
    Parents are winners of binary tournaments; a child takes each decision from one of two parents, and is
    mutated as often as of its n decisions each is chosen with probability 1/n. A feasible architecture
    dominates an infeasible one, of two infeasible ones that of the smaller violation (Deb's
    rule). Children that are known, or break a cheap constraint, are drawn again.

    `front` gives the non-dominated trials of a run. The paper's population is 100, for 25,000 evaluations;
    those from 8 to 20 found the most accurate networks of NAS-Bench-201 within a bound on the latency and 300
    evaluations.

    Args:
        space: where to search.
        objective: what is maximised, and the constraints.
        costs: the metrics to minimise; those of the constraints where None.
        population: size of a generation.
        crossover: probability that a child has two parents.
        seed: of all draws.

    Raises:
        ValueError: no costs, the maximised metric among them, or sizes out of range.
    """

    def __init__(
        self,
        space: SearchSpace,
        objective: Objective,
        *,
        costs: Sequence[str] | None = None,
        population: int = 20,
        crossover: float = 0.9,
        seed: int = 0,
    ) -> None:
        super().__init__(space, objective, seed=seed)
        self.costs = _costs(costs, objective)
        check_population(population, least=4, most=MOST_SORTED)
        if not 0 <= crossover <= 1:
            raise ValueError(f"crossover must be a probability from 0 to 1, not {crossover}")
        check_mutates("nsga2", space, np.random.default_rng(seed))
        self.population, self.crossover = population, crossover
        self._generator = np.random.default_rng(seed)
        self._random = partial(space.random, self._generator)
        self._proposed: set[Architecture] = set()
        self._parents: list[Ranked] = []
        self._children: list[Member] = []
        self._asked = 0

    def settings(self) -> Mapping[str, Any]:
        """Costs, size, and the probability of two parents."""
        return {"costs": list(self.costs), "population": self.population, "crossover": self.crossover}

    def ask(self) -> Proposal | None:
        """A member of the generation under way; None until all of the generation before are told."""
        if self._asked == self.population:
            return None
        draw = self._child if self._parents else self._random
        chosen = feasible_or_any(draw, self.screen, self._proposed)
        self._asked += 1
        self._proposed.add(chosen)
        return Proposal(chosen, self.objective.maximize)

    def tell(self, proposal: Proposal, metrics: Mapping[str, float]) -> None:
        """Add it to the generation; with the last of it, choose the next parents."""
        self._children.append(self._member(proposal.architecture, metrics))
        if len(self._children) == self.population:
            known = [*(ranked.member for ranked in self._parents), *self._children]
            self._parents = survivors(known, self.population)
            self._children, self._asked = [], 0

    def _member(self, architecture: Architecture, metrics: Mapping[str, float]) -> Member:
        fitness = self.objective.fitness(metrics)
        if fitness.rank < 2:
            violation = -fitness.score if fitness.rank else math.inf
            return Member(architecture, (0.0,) * (1 + len(self.costs)), violation)
        costs = tuple(metrics.get(name, math.nan) for name in self.costs)
        undefined = any(math.isnan(cost) for cost in costs)
        return Member(architecture, (-fitness.score, *costs), math.inf if undefined else 0.0)

    def check(self, metrics: Mapping[str, Metric]) -> None:
        """Raise ValueError naming a cost that is no metric, is never computed, or of which more is better."""
        bounded = [one.metric for one in self.objective.constraints]
        for name in self.costs:
            if name not in metrics:
                raise ValueError(f"nsga2 minimises {name}, which is no metric of this search; add it")
            if metrics[name].higher_is_better:
                raise ValueError(f"nsga2 minimises its costs, and of {name} more is better")
            if metrics[name].expensive and name not in bounded:
                raise ValueError(
                    f"nsga2 minimises {name}, which is expensive and so computed only where it is bounded; "
                    f"add a constraint, '{name} <= NUMBER'"
                )

    def _child(self) -> Architecture:
        child = tournament(self._parents, self._generator)
        if self._generator.random() < self.crossover:
            child = self.space.crossover(child, tournament(self._parents, self._generator), self._generator)
        decisions = len(self.space.choices)
        for _ in range(self._generator.binomial(decisions, 1 / decisions)):
            child = self.space.mutate(child, self._generator)
        return child


def _costs(costs: Sequence[str] | None, objective: Objective) -> tuple[str, ...]:
    named = [c.metric for c in objective.constraints] if costs is None else costs
    found = tuple(dict.fromkeys(named.split(",") if isinstance(named, str) else named))
    if not found:
        raise ValueError("nsga2 needs costs, the metrics to minimise, such as latency_ms; or a constraint")
    if objective.maximize in found:
        raise ValueError(f"nsga2 maximises {objective.maximize}; it cannot be among the costs")
    return found
