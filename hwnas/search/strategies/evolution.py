"""Regularised evolution (Real et al., "Regularized Evolution for Image Classifier Search", AAAI 2019)."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from hwnas.objectives import Fitness, Objective
from hwnas.search.strategies.candidates import check_mutates, check_population, feasible_or_any
from hwnas.search.strategies.warm_up import WarmUp, check_warm_up
from hwnas.search.strategy import Proposal, Strategy, register
from hwnas.spaces import Architecture, SearchSpace


@register("evolution")
class RegularizedEvolution(Strategy):
    """A queue of `population` members; the best of a random `tournament` is mutated, the oldest dies.

    Members and mutants that break a cheap constraint are drawn again, up to `TRIES` times; those that
    turn out infeasible stay in the queue and lose against feasible ones, the less the nearer they are to the
    bounds. With a warm-up (Abdelfattah et al., "Zero-Cost Proxies for Lightweight NAS", 2021),
    `warm_up` random architectures are scored by the metric `warm_up_by` first, and the best of them
    are the first population.

    The sizes are those of NATS-Bench (Dong et al., TPAMI 2021). Those of Abdelfattah et al. are 64 and 10,
    those of Real et al. 100 and 25, for thousands of networks: on NAS-Bench-201 their median accuracy after
    100 networks is 94.20 % and 93.85 %, where NATS-Bench's is 94.33 %; after 300 all have found the best.

    Args:
        space: where to search.
        objective: what for.
        population: size of the queue.
        tournament: members drawn without replacement, of which the best is the parent.
        warm_up: number of architectures to score beforehand.
        warm_up_by: the cheap metric to score them by; needed for a warm-up.
        seed: of all draws.

    Raises:
        ValueError: sizes that do not fit each other.
    """

    def __init__(
        self,
        space: SearchSpace,
        objective: Objective,
        *,
        population: int = 10,
        tournament: int = 3,
        warm_up: int = 0,
        warm_up_by: str | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(space, objective, seed=seed)
        check_population(population)
        if not 1 <= tournament <= population:
            raise ValueError(f"tournament must be from 1 to the population of {population}, not {tournament}")
        if warm_up and warm_up < population:
            raise ValueError(f"warm_up must be 0 or at least the population of {population}, not {warm_up}")
        check_warm_up(warm_up, warm_up_by)
        check_mutates("evolution", space, np.random.default_rng(seed))
        self.population, self.tournament = population, tournament
        self.warm_up, self.warm_up_by = warm_up, warm_up_by
        self._generator = np.random.default_rng(seed)
        self._random = partial(space.random, self._generator)
        self._members: deque[tuple[Architecture, Fitness]] = deque(maxlen=population)
        self._warm_up = WarmUp(space, objective, warm_up, warm_up_by or "", self._generator)
        self._initial: deque[Architecture] = deque()
        self._initial_asked = 0

    def settings(self) -> Mapping[str, Any]:
        """Sizes and warm-up."""
        return {
            "population": self.population,
            "tournament": self.tournament,
            "warm_up": self.warm_up,
            "warm_up_by": self.warm_up_by,
        }

    def ask(self) -> Proposal | None:
        """A warm-up draw, then a member of the first population, then a mutant."""
        if not self._warm_up.is_over:
            return self._warm_up.ask()
        if self._initial_asked < self.population:
            self._initial_asked += 1
            return Proposal(self._next_initial(), self.objective.maximize)
        draw = self._mutant if self._members else self._random
        return Proposal(feasible_or_any(draw, self.screen), self.objective.maximize)

    def tell(self, proposal: Proposal, metrics: Mapping[str, float]) -> None:
        """A scored warm-up draw, or a member that joins the population."""
        if not self._warm_up.is_over:
            self._warm_up.tell(proposal, metrics, self.screen)
        else:
            self._members.append((proposal.architecture, self.objective.fitness(metrics)))

    def _next_initial(self) -> Architecture:
        """The best scored draw not asked yet, or a random one."""
        if self._initial_asked == 1:
            self._initial.extend(self._warm_up.best_first())
        return self._initial.popleft() if self._initial else feasible_or_any(self._random, self.screen)

    def _mutant(self) -> Architecture:
        return self.space.mutate(self._parent(), self._generator)

    def _parent(self) -> Architecture:
        size = min(self.tournament, len(self._members))
        drawn = self._generator.choice(len(self._members), size=size, replace=False)
        return max((self._members[i] for i in drawn), key=lambda member: member[1])[0]
