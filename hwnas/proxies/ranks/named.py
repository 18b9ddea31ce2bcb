"""The combinations of proxies that have a name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hwnas.proxies.ranks.aznas import AZNAS, aznas
from hwnas.proxies.ranks.ranking import Array, Scores
from hwnas.proxies.ranks.tenas import TENAS, tenas
from hwnas.proxies.ranks.vote import VOTERS, copeland
from hwnas.proxies.ranks.zero_cost import ZERO_COST, zero_cost_within


@dataclass(frozen=True)
class Combination:
    """The proxies that it joins, and how: from scores (n,) of each to (n,), higher being better."""

    proxies: tuple[str, ...]
    join: Callable[[Scores], Array]


COMBINATIONS = {
    "vote": Combination(VOTERS, copeland),
    "tenas": Combination(TENAS, tenas),
    "aznas": Combination(AZNAS, aznas),
    "zero_cost": Combination(ZERO_COST, zero_cost_within),
}


def combinations(scores: Scores) -> dict[str, Array]:
    """The named combinations within these networks, of which all proxies are among the scores."""
    return {
        name: one.join(scores) for name, one in COMBINATIONS.items() if all(p in scores for p in one.proxies)
    }
