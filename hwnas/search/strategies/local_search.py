"""Local search (White et al., "Local Search is State of the Art for NAS Benchmarks", 2020)."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np

from hwnas.objectives import Fitness, Objective
from hwnas.search.strategies.candidates import check_neighbours, first_feasible
from hwnas.search.strategy import Proposal, Strategy, register
from hwnas.spaces import Architecture, SearchSpace


@register("local_search")
class LocalSearch(Strategy):
    """From a random start to the best neighbour, until none is better; then from another start.

    Nothing is evaluated twice. Neighbours that are further from the cheap constraints than the present
    architecture are passed over. The search ends by itself where a small space is exhausted.

    Args:
        space: where to search.
        objective: what for.
        first_improvement: move as soon as a better neighbour is known, instead of when all are.
        seed: of all draws.

    Raises:
        ValueError: the space has no neighbours.
    """

    def __init__(
        self, space: SearchSpace, objective: Objective, *, first_improvement: bool = False, seed: int = 0
    ) -> None:
        super().__init__(space, objective, seed=seed)
        self.first_improvement = first_improvement
        self._generator = np.random.default_rng(seed)
        check_neighbours("local_search", space, np.random.default_rng(seed))
        self._asked: set[Architecture] = set()
        self._known: dict[Architecture, Fitness] = {}
        self._centre: Architecture | None = None
        self._around: list[Architecture] | None = None
        self._queue: deque[Architecture] = deque()

    def settings(self) -> Mapping[str, Any]:
        """When it moves."""
        return {"first_improvement": self.first_improvement}

    def ask(self) -> Proposal | None:
        """A start, or a neighbour of the present architecture; None until all of these are told."""
        while not self._queue:
            if len(self._known) < len(self._asked) or not self._advance():
                return None
        chosen = self._queue.popleft()
        self._asked.add(chosen)
        return Proposal(chosen, self.objective.maximize)

    def tell(self, proposal: Proposal, metrics: Mapping[str, float]) -> None:
        """What a start or a neighbour is worth."""
        fitness = self.objective.fitness(metrics)
        self._known[proposal.architecture] = fitness
        if self.first_improvement and self._around is not None and self._improves(proposal.architecture):
            self._queue.clear()

    def _advance(self) -> bool:
        """Start, look around, move or give up the present architecture; False where nothing is left."""
        if self._centre is None:
            self._centre, self._around = self._start(), None
            if self._centre is not None:
                self._queue.append(self._centre)
            return self._centre is not None
        if self._around is None:
            self._look_around(self._centre)
            return True
        told = [neighbour for neighbour in self._around if neighbour in self._known]
        best = max(told, key=self._known.__getitem__, default=None)
        self._centre = best if best is not None and self._improves(best) else None
        self._around = None
        return True

    def _look_around(self, centre: Architecture) -> None:
        """Queue the unknown neighbours in random order, unless a move is due already."""
        around = list(self.space.neighbours(centre))
        if self.screen:
            limit = self.screen.violation(centre)
            around = [one for one in around if self.screen.violation(one) <= limit]
        self._around = [around[i] for i in self._generator.permutation(len(around))]
        if self.first_improvement and any(n in self._known and self._improves(n) for n in self._around):
            return
        self._queue.extend(n for n in self._around if n not in self._known)

    def _improves(self, architecture: Architecture) -> bool:
        return self._centre is not None and self._known[architecture] > self._known[self._centre]

    def _start(self) -> Architecture | None:
        """A random architecture that is not known, or any other that is not in a small space."""
        drawn = first_feasible(lambda: self.space.random(self._generator), self.screen, self._known)
        if drawn is None and self.space.is_small:
            return next((one for one in self.space if one not in self._known), None)
        return drawn
