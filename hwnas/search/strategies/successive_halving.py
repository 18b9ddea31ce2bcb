"""Successive halving (Jamieson and Talwalkar, "Non-stochastic Best Arm Identification", AISTATS 2016)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hwnas.objectives import Objective
from hwnas.search.strategies.brackets import MOST_NETWORKS, BracketSearch, Rung, check_ladder, rungs
from hwnas.search.strategy import register
from hwnas.spaces import SearchSpace


@register("successive_halving")
class SuccessiveHalving(BracketSearch):
    """`networks` random ones after 1/η^(rungs-1) of the training, the best 1/η of them after η times as much.

    It ends with the best after the full training, and begins again with others. By default 27 networks are
    trained for 1/9, 9 for 1/3 and 3 fully: what 9 full trainings cost.

    Args:
        space: where to search.
        objective: what for; its metric must be one that can be evaluated after a part of the training.
        networks: in the first rung.
        eta: η: one in so many is trained further.
        rungs: number of them; the last is the full training.
        seed: of all draws.

    Raises:
        ValueError: numbers out of range, or no network is left in the last rung.
    """

    def __init__(
        self,
        space: SearchSpace,
        objective: Objective,
        *,
        networks: int = 27,
        eta: int = 3,
        rungs: int = 3,
        seed: int = 0,
    ) -> None:
        check_ladder(eta, rungs)
        if not eta ** (rungs - 1) <= networks <= MOST_NETWORKS:
            raise ValueError(
                f"networks must be from eta ** (rungs - 1) = {eta ** (rungs - 1)}, that one is left in the "
                f"last rung, to {MOST_NETWORKS:,}, not {networks}"
            )
        super().__init__(space, objective, eta=eta, count=rungs, seed=seed)
        self.networks, self.rungs = networks, rungs

    def settings(self) -> Mapping[str, Any]:
        """The sizes of a bracket."""
        return {"networks": self.networks, "eta": self.eta, "rungs": self.rungs}

    def bracket(self, number: int) -> tuple[Rung, ...]:
        """The same for every number."""
        return rungs(self.networks, self.eta, self.rungs)
