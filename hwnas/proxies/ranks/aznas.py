"""AZ-NAS: four proxies by the logarithms of their ranks."""

from __future__ import annotations

from hwnas.proxies.ranks.ensemble import rank_sum
from hwnas.proxies.ranks.ranking import Array, Scores

AZNAS = ("az_expressivity", "az_progressivity", "az_trainability", "flops")


def aznas(scores: Scores) -> Array:
    """The sum over expressivity, progressivity, trainability and FLOPs of log(rank / n): (n,).

    Higher is better. Lee and Ham 2024, AZ-NAS, eq. 10. It changes with the population.

    Raises:
        ValueError: one of the four is missing from the scores.
    """
    return rank_sum(scores, AZNAS)
