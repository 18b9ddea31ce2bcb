"""The combination of proxies that `hwnas search` maximises where nothing is trained."""

from __future__ import annotations

import math
from collections.abc import Mapping

from hwnas.proxies.ranks.ensemble import rank_sum
from hwnas.proxies.ranks.ranking import Array, Scores
from hwnas.proxies.ranks.reference import ReferencePopulation

QUALITY = ("live_params", "synflow", "jacob_cov", "az_expressivity", "az_trainability")
BALANCE = "epsilon64"
WEIGHT = 0.6
ZERO_COST = (*QUALITY, BALANCE)


def zero_cost(values: Mapping[str, float], reference: ReferencePopulation) -> float:
    """The sum of log(rank) over `QUALITY` plus 0.6 rank(`epsilon64`); higher is better.

    Ranks are those in a reference population, in (0, 1), so that the score of a network does not change with
    the networks beside it; an undefined value ranks last. The logarithms punish a network that is bad by any
    one measure. Among good networks they hardly differ, and there the last term decides: whether outputs
    keep their spread when all weights are alike, which tells balanced shortcuts from plain depth. Proxies
    and weight were chosen on the CIFAR-10 accuracies of NAS-Bench-201 (docs/proxies_nasbench201.md).

    Raises:
        ValueError: the value of a proxy, or its scores in the reference population, are missing.
    """
    quality = sum(math.log(reference.rank(name, _value(values, name))) for name in QUALITY)
    return quality + WEIGHT * reference.rank(BALANCE, _value(values, BALANCE))


def zero_cost_within(scores: Scores) -> Array:
    """The same with ranks within the n networks given: (n,), higher is better."""
    return rank_sum(scores, QUALITY) + WEIGHT * rank_sum(scores, [BALANCE], logarithmic=False)


def _value(values: Mapping[str, float], name: str) -> float:
    if name not in values:
        raise ValueError(f"values: {name} is missing; zero_cost joins {', '.join(ZERO_COST)}")
    return values[name]
