"""Probabilities that adapt to fitness (Srinivas and Patnaik, IEEE Trans. SMC 24(4), 1994, eqs. 3 and 4)."""

from __future__ import annotations

from collections.abc import Sequence

from hwnas.objectives import Fitness

CROSSOVER = 1.0
"""k1 and k3 of the paper."""
MUTATION = 0.5
"""k2 and k4 of the paper."""


def crossover_probability(fitter: float, best: float, mean: float) -> float:
    """Of two parents, by the fitness of the fitter one: 1 up to the population's mean, 0 for its best."""
    return CROSSOVER * _pressure(fitter, best, mean)


def mutation_probability(fitness: float, best: float, mean: float) -> float:
    """Of each decision: 0.5 up to the population's mean, falling to 0 for its best."""
    return MUTATION * _pressure(fitness, best, mean)


def _pressure(fitness: float, best: float, mean: float) -> float:
    if fitness < mean or best <= mean:
        return 1.0
    return (best - fitness) / (best - mean)


def penalised(fitnesses: Sequence[Fitness]) -> list[float]:
    """One number for each member: its score, or for infeasible ones the worst score less the violation.

    The penalty is Deb's (2000), without a constant. Where nothing is feasible, minus the violation. A
    member whose value is undefined gets the lowest of all numbers.
    """
    feasible = [score for rank, score in fitnesses if rank == 2]
    worst = min(feasible, default=0.0)
    defined = {2: 0.0, 1: worst}
    lowest = min((defined[rank] + score for rank, score in fitnesses if rank in defined), default=0.0)
    return [defined[rank] + score if rank in defined else lowest for rank, score in fitnesses]
