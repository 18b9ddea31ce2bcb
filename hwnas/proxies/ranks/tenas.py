"""TE-NAS: trainability and expressivity by their ranks."""

from __future__ import annotations

from hwnas.proxies.ranks.ensemble import rank_sum
from hwnas.proxies.ranks.ranking import Array, Scores

TENAS = ("ntk_cond", "linear_regions_thin")


def tenas(scores: Scores) -> Array:
    """The rank by the NTK's condition number plus the rank by the number of linear regions: (n,).

    Higher is better. Chen et al. 2021, TE-NAS, prune a supernet by these ranks and give single architectures
    no score; this is the same sum within a population, as fractions of n.

    Raises:
        ValueError: `ntk_cond` or `linear_regions_thin` is missing from the scores.
    """
    return rank_sum(scores, TENAS, logarithmic=False)
