"""Proxies joined by ranks: within a population, or of one network against a reference population."""

from hwnas.proxies.ranks.aznas import AZNAS, aznas
from hwnas.proxies.ranks.ensemble import rank_sum
from hwnas.proxies.ranks.named import COMBINATIONS, combinations
from hwnas.proxies.ranks.ranking import fractional_ranks
from hwnas.proxies.ranks.reference import ReferencePopulation
from hwnas.proxies.ranks.tenas import TENAS, tenas
from hwnas.proxies.ranks.vote import VOTERS, copeland, majority, majority_pair_accuracy
from hwnas.proxies.ranks.zero_cost import ZERO_COST, zero_cost

__all__ = [
    "AZNAS",
    "COMBINATIONS",
    "TENAS",
    "VOTERS",
    "ZERO_COST",
    "ReferencePopulation",
    "aznas",
    "combinations",
    "copeland",
    "fractional_ranks",
    "majority",
    "majority_pair_accuracy",
    "rank_sum",
    "tenas",
    "zero_cost",
]
