"""Hyperband (Li et al., "A Novel Bandit-Based Approach to Hyperparameter Optimization", JMLR 18, 2018)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hwnas.objectives import Objective
from hwnas.search.strategies.brackets import BracketSearch, Rung, check_ladder, rungs
from hwnas.search.strategy import register
from hwnas.spaces import SearchSpace


@register("hyperband")
class Hyperband(BracketSearch):
    """Successive halving from ever fewer networks and longer first trainings, down to full trainings alone.

    Algorithm 1 with R = η^(rungs-1) and its least resource as the unit: bracket s from s_max = rungs - 1 to 0
    begins with ⌈(s_max + 1) η^s / (s + 1)⌉ networks after 1/η^s of the training. Then it begins again. By
    default (3 rungs) the brackets have 9, 5 and 3 networks, and cost 8.67 full trainings together.

    Args:
        space: where to search.
        objective: what for; its metric must be one that can be evaluated after a part of the training.
        eta: η: one in so many is trained further.
        rungs: of the longest bracket; as many brackets make a round.
        seed: of all draws.

    Raises:
        ValueError: numbers out of range.
    """

    def __init__(
        self, space: SearchSpace, objective: Objective, *, eta: int = 3, rungs: int = 3, seed: int = 0
    ) -> None:
        check_ladder(eta, rungs)
        super().__init__(space, objective, eta=eta, count=rungs, seed=seed)
        self.rungs = rungs

    def settings(self) -> Mapping[str, Any]:
        """η and the number of rungs."""
        return {"eta": self.eta, "rungs": self.rungs}

    def bracket(self, number: int) -> tuple[Rung, ...]:
        """The longest first; after the one of full trainings the longest again."""
        s = self.rungs - 1 - number % self.rungs
        return rungs(-(-self.rungs * self.eta**s // (s + 1)), self.eta, s + 1)
