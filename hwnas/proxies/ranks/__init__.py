"""Proxies joined by ranks: within a population, or of one network against a reference population."""

from hwnas.proxies.ranks.aznas import AZNAS, aznas
from hwnas.proxies.ranks.ensemble import rank_sum
from hwnas.proxies.ranks.ranking import fractional_ranks
from hwnas.proxies.ranks.reference import ReferencePopulation
from hwnas.proxies.ranks.tenas import TENAS, tenas
from hwnas.proxies.ranks.vote import VOTERS, copeland, majority

__all__ = [
    "AZNAS",
    "TENAS",
    "VOTERS",
    "ReferencePopulation",
    "aznas",
    "copeland",
    "fractional_ranks",
    "majority",
    "rank_sum",
    "tenas",
]
