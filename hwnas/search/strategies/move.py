"""Evolution with proxies: warm-up and move (Abdelfattah et al., ICLR 2021)."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np

from hwnas.objectives import Fitness, Objective
from hwnas.search.strategies.candidates import check_neighbours
from hwnas.search.strategies.evolution import RegularizedEvolution
from hwnas.search.strategies.proxy_fitness import proxy_fitness
from hwnas.search.strategy import Proposal, register
from hwnas.spaces import Architecture, SearchSpace


@register("move")
class MoveEvolution(RegularizedEvolution):
    """Regularised evolution whose child is the best neighbour of the parent by a proxy.

    All neighbours of the tournament's winner are scored by the metric `move_by`, each architecture once in
    a search; the best of those not evaluated yet is evaluated. With probability `random_move`, and where
    all neighbours are evaluated, the child is a random mutant instead.

    Args:
        space: where to search.
        objective: what for.
        move_by: the proxy that chooses among neighbours.
        random_move: probability of a random mutant.
        population: size of the queue.
        tournament: members drawn without replacement, of which the best is the parent.
        warm_up: number of architectures to score beforehand.
        warm_up_by: the metric to score them by; needed for a warm-up.
        seed: of all draws.

    Raises:
        ValueError: settings that do not fit each other, or a space without neighbours.
    """

    def __init__(
        self,
        space: SearchSpace,
        objective: Objective,
        *,
        move_by: str | None = None,
        random_move: float = 0.25,
        population: int = 10,
        tournament: int = 3,
        warm_up: int = 0,
        warm_up_by: str | None = None,
        seed: int = 0,
    ) -> None:
        check_neighbours("move", space, np.random.default_rng(seed))
        super().__init__(
            space,
            objective,
            population=population,
            tournament=tournament,
            warm_up=warm_up,
            warm_up_by=warm_up_by,
            seed=seed,
        )
        if not move_by or move_by == objective.maximize:
            raise ValueError(
                f"move needs move_by, a metric cheaper than {objective.maximize}, such as a zero-cost proxy: "
                "move:move_by=naswot"
            )
        if not 0 <= random_move <= 1:
            raise ValueError(f"random_move must be a probability from 0 to 1, not {random_move}")
        self.move_by, self.random_move = move_by, random_move
        self._scores: dict[Architecture, Fitness] = {}
        self._evaluated: set[Architecture] = set()
        self._neighbours: list[Architecture] = []
        self._unscored: deque[Architecture] = deque()
        self._under_way = 0

    def settings(self) -> Mapping[str, Any]:
        """Sizes, warm-up and move."""
        return {**super().settings(), "move_by": self.move_by, "random_move": self.random_move}

    def ask(self) -> Proposal | None:
        """What evolution asks, but for its mutants; for these, neighbours to score, then the best of them."""
        if not self._neighbours and not self._starts_move():
            return self._noted(super().ask())
        if self._unscored:
            self._under_way += 1
            return Proposal(self._unscored.popleft(), self.move_by)
        if self._under_way:
            return None
        best = max(self._neighbours, key=self._scores.__getitem__)
        self._neighbours = []
        return self._noted(Proposal(best, self.objective.maximize))

    def tell(self, proposal: Proposal, metrics: Mapping[str, float]) -> None:
        """The score of a neighbour, or what evolution is told."""
        if proposal.maximize == self.move_by:
            score = proxy_fitness(self.objective, metrics, self.move_by, self.screen)
            self._scores[proposal.architecture] = score
        if self._under_way and proposal.maximize == self.move_by:
            self._under_way -= 1
        else:
            super().tell(proposal, metrics)

    def _starts_move(self) -> bool:
        """Choose a parent and its neighbours, in random order; False where a mutant is due."""
        evolves = self._initial_asked >= self.population and self._members
        if not evolves or self._generator.random() < self.random_move:
            return False
        around = [n for n in self.space.neighbours(self._parent()) if n not in self._evaluated]
        self._neighbours = [around[i] for i in self._generator.permutation(len(around))]
        self._unscored = deque(n for n in self._neighbours if n not in self._scores)
        return bool(self._neighbours)

    def _noted(self, proposal: Proposal | None) -> Proposal | None:
        if proposal is not None and proposal.maximize == self.objective.maximize:
            self._evaluated.add(proposal.architecture)
        return proposal
