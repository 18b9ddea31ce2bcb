"""Brackets of successive halving: many networks after a little training, the best of them after more."""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from collections.abc import Container, Mapping
from dataclasses import dataclass

import numpy as np

from hwnas.objectives import Fitness, Objective
from hwnas.search.fidelity import at_fidelity
from hwnas.search.strategies.candidates import first_feasible
from hwnas.search.strategy import Proposal, Strategy
from hwnas.spaces import Architecture, SearchSpace

MOST_RUNGS = 20
MOST_NETWORKS = 1_000_000


@dataclass(frozen=True)
class Rung:
    """So many networks, each trained for that part of the full training, in (0, 1]."""

    networks: int
    fidelity: float


def rungs(networks: int, eta: int, count: int) -> tuple[Rung, ...]:
    """`count` rungs, of ⌊n / η^i⌋ networks and 1/η^(count - 1 - i) of the training, i from 0.

    The inner loop of Algorithm 1 in Li et al., "Hyperband", JMLR 18 (2018), with R = 1.
    """
    return tuple(Rung(networks // eta**i, 1 / eta ** (count - 1 - i)) for i in range(count))


def check_ladder(eta: int, count: int) -> None:
    """Raise ValueError where η or the number of rungs is out of range."""
    if eta < 2:
        raise ValueError(f"eta must be at least 2, not {eta}: one in so many networks is trained further")
    if not 1 <= count <= MOST_RUNGS:
        raise ValueError(f"rungs must be from 1 to {MOST_RUNGS}, not {count}")
    if eta ** (count - 1) > MOST_NETWORKS:
        raise ValueError(f"eta ** (rungs - 1) must be at most {MOST_NETWORKS:,}, not {eta ** (count - 1):,}")


class BracketSearch(Strategy):
    """One bracket after the other, each from new random networks that keep the cheap constraints.

    A rung is complete before the best of it are trained further; only networks that are within the
    constraints and whose metric is defined go on. Those are trained anew, from their initial weights. New
    are networks that were not trained yet for as long as a bracket begins with.
    """

    def __init__(self, space: SearchSpace, objective: Objective, *, eta: int, count: int, seed: int) -> None:
        super().__init__(space, objective, seed=seed)
        self.eta = eta
        self.fidelities = tuple(1 / eta**power for power in range(count - 1, 0, -1))
        self._generator = np.random.default_rng(seed)
        self._brackets = self._rung = self._to_draw = 0
        self._to_come: deque[Rung] = deque()
        self._fidelity = 1.0
        self._queue: deque[Architecture] = deque()
        self._under_way: deque[int] = deque()
        self._told: list[tuple[Fitness, Architecture]] = []
        self._trained: dict[Architecture, float] = {}
        self._known: set[Architecture] = set()

    @abstractmethod
    def bracket(self, number: int) -> tuple[Rung, ...]:
        """The rungs of the bracket of that number, from 0."""

    @property
    def least_budget(self) -> float:
        """What the first bracket costs up to its first full training."""
        *parts, _ = self.bracket(0)
        return sum(rung.networks * rung.fidelity for rung in parts) + 1

    def draw(self, known: Container[Architecture]) -> Architecture | None:
        """A random network for the first rung of a bracket, none of the known; None where there is none."""
        return first_feasible(lambda: self.space.random(self._generator), self.screen, known)

    def ask(self) -> Proposal | None:
        """The next network of the rung; None until the rung is complete, or where nothing new is left."""
        architecture = self._next()
        if architecture is None:
            return None
        self._under_way.append(self._rung)
        self._trained[architecture] = self._fidelity
        self._known.add(architecture)
        return Proposal(architecture, at_fidelity(self.objective.maximize, self._fidelity))

    def tell(self, proposal: Proposal, metrics: Mapping[str, float]) -> None:
        """How good the network is among those of its rung."""
        if self._under_way.popleft() == self._rung:
            fitness = self.objective.fitness(metrics, proposal.maximize)
            self._told.append((fitness, proposal.architecture))

    def _next(self) -> Architecture | None:
        rungs_of_a_round = (len(self.fidelities) + 1) ** 2
        for _ in range(1 + rungs_of_a_round):
            if self._queue:
                return self._queue.popleft()
            if self._to_draw:
                self._to_draw -= 1
                drawn = self.draw(self._known)
                if drawn is not None:
                    return drawn
                self._to_draw = 0
            if self._to_come and self._rung in self._under_way:
                return None
            self._next_rung()
        return None

    def _next_rung(self) -> None:
        """Put the best of the last rung into the queue, or where none goes on begin a new bracket."""
        self._rung += 1
        if self._to_come:
            rung = self._to_come.popleft()
            defined = [told for told in self._told if told[0].rank == 2]
            best_first = sorted(defined, key=lambda told: told[0], reverse=True)
            self._queue.extend(architecture for _, architecture in best_first[: rung.networks])
        if not self._queue:
            self._to_come = deque(self.bracket(self._brackets))
            self._brackets += 1
            rung = self._to_come.popleft()
            self._to_draw = rung.networks
            self._known = {one for one, part in self._trained.items() if part >= rung.fidelity}
        self._fidelity = rung.fidelity
        self._told = []
