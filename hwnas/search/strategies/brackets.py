"""Brackets of successive halving: many networks after a little training, the best of them after more."""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from collections.abc import Mapping
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
    constraints and whose metric is defined go on. Those are trained anew, from their initial weights.
    """

    def __init__(self, space: SearchSpace, objective: Objective, *, eta: int, count: int, seed: int) -> None:
        super().__init__(space, objective, seed=seed)
        self.eta = eta
        self.fidelities = tuple(1 / eta**power for power in range(count - 1, 0, -1))
        self._generator = np.random.default_rng(seed)
        self._brackets = 0
        self._rungs: deque[Rung] = deque()
        self._fidelity = 1.0
        self._queue: deque[Architecture] = deque()
        self._under_way = 0
        self._told: list[tuple[Fitness, Architecture]] = []

    @abstractmethod
    def bracket(self, number: int) -> tuple[Rung, ...]:
        """The rungs of the bracket of that number, from 0."""

    @property
    def beforehand(self) -> int:
        """The rungs of the first bracket below the full training."""
        return sum(rung.networks for rung in self.bracket(0)[:-1])

    def ask(self) -> Proposal | None:
        """The next network of the rung; None until the rung is complete."""
        if not self._queue:
            if self._under_way:
                return None
            self._next_rung()
        self._under_way += 1
        return Proposal(self._queue.popleft(), at_fidelity(self.objective.maximize, self._fidelity))

    def tell(self, proposal: Proposal, metrics: Mapping[str, float]) -> None:
        """How good the network is among those of its rung."""
        self._under_way -= 1
        self._told.append((self.objective.fitness(metrics, proposal.maximize), proposal.architecture))

    def _next_rung(self) -> None:
        """Put the best of the last rung, or where none goes on a new bracket's draws, into the queue."""
        if self._rungs:
            rung = self._rungs.popleft()
            defined = [told for told in self._told if told[0].rank == 2]
            best_first = sorted(defined, key=lambda told: told[0], reverse=True)
            self._queue.extend(architecture for _, architecture in best_first[: rung.networks])
        if not self._queue:
            self._rungs = deque(self.bracket(self._brackets))
            self._brackets += 1
            rung = self._rungs.popleft()
            self._queue.extend(self._drawn(rung.networks))
        self._fidelity = rung.fidelity
        self._told = []

    def _drawn(self, count: int) -> list[Architecture]:
        """Different random networks; fewer than `count` where the space has no more to find."""
        found: dict[Architecture, None] = {}
        while len(found) < count:
            drawn = first_feasible(lambda: self.space.random(self._generator), self.screen, found)
            if drawn is None:
                break
            found[drawn] = None
        return list(found)
