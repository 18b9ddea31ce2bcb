"""Search strategies: they ask for architectures and are told what these are worth."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hwnas.objectives import Metric, Objective
from hwnas.search.fidelity import split
from hwnas.search.screen import Screen
from hwnas.spaces import Architecture, SearchSpace


@dataclass(frozen=True)
class Proposal:
    """An architecture to evaluate.

    Attributes:
        architecture: what to evaluate.
        maximize: by which metric: the objective's own, a cheaper proxy, or the objective's own after a part
            of the training, named by `hwnas.search.fidelity.at_fidelity`.
    """

    architecture: Architecture
    maximize: str

    @property
    def fidelity(self) -> float:
        """The part of the full training, in (0, 1]."""
        return split(self.maximize)[1]


class Strategy(ABC):
    """A deterministic function of its seed and of what it was told, in that order.

    The loop keeps a fixed number of proposals under way and tells their results in the order in which they
    were asked; so an interrupted search is resumed by telling it again what was recorded.

    Attributes:
        screen: the cheap constraints, for strategies that propose nothing that breaks them; set by a run.
        say: is told what takes long before the first proposal; set by a run.
        fidelities: the parts of the full training, below 1, that it asks for.
        trains_infeasible: whether it learns from the value of an architecture that breaks a constraint. Where
            not, expensive metrics of such architectures are not computed.
    """

    screen: Screen | None = None
    say: Callable[[str], None] = staticmethod(lambda step: None)
    fidelities: tuple[float, ...] = ()
    trains_infeasible: bool = False

    def __init__(self, space: SearchSpace, objective: Objective, *, seed: int) -> None:
        self.space = space
        self.objective = objective
        self.seed = seed

    @property
    def least_budget(self) -> float:
        """How many full trainings it needs until the first network is fully trained."""
        return 1

    def check(self, metrics: Mapping[str, Metric]) -> None:  # noqa: B027
        """Raise ValueError where the metrics of a search are not what it needs; called before the search."""

    @abstractmethod
    def ask(self) -> Proposal | None:
        """The next architecture to evaluate, or None to wait for the results of all proposals.

        None with nothing under way ends the search.
        """

    @abstractmethod
    def tell(self, proposal: Proposal, metrics: Mapping[str, float]) -> None:
        """The metrics of a proposal: all of them, or those known before it turned out infeasible."""

    def settings(self) -> Mapping[str, Any]:
        """What, beside the seed, the behaviour depends on; recorded with a run."""
        return {}


STRATEGIES: dict[str, Callable[..., Strategy]] = {}


def register(name: str) -> Callable[[type[Strategy]], type[Strategy]]:
    """Make a strategy known by `name`; raises ValueError on a collision."""

    def add(kind: type[Strategy]) -> type[Strategy]:
        if name in STRATEGIES:
            raise ValueError(f"strategy {name} is registered twice")
        STRATEGIES[name] = kind
        return kind

    return add
