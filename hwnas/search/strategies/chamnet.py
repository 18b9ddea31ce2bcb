"""ChamNet's adaptive genetic algorithm, driven by predictors (Dai et al., "ChamNet", CVPR 2019)."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from hwnas.objectives import Fitness, Objective
from hwnas.search.strategies.adaptive import crossover_probability, mutation_probability, penalised
from hwnas.search.strategies.candidates import check_population, feasible_or_any
from hwnas.search.strategies.proxy_fitness import proxy_fitness
from hwnas.search.strategy import Proposal, Strategy, register
from hwnas.spaces import Architecture, SearchSpace


@register("chamnet")
class ChamNet(Strategy):
    """A genetic algorithm whose fit members breed as they are and whose poor ones are mutated much.

    Generations are evaluated by a predictor of the accuracy alone, and by the constraints' own, so that a
    search takes minutes; after the last the best are evaluated by the objective, and the search ends.
    Without a predictor the objective itself drives the generations, without end. The probabilities of
    crossover and mutation fall to 0 with the fitness of the parents (Srinivas and Patnaik, 1994). Members
    over a bound lose against all others, the more the further they are from it: the paper subtracts a
    penalty, whose two constants this makes needless. Children that are known, or break a cheap constraint,
    are drawn again; the best of parents and children are the next parents.

    Args:
        space: where to search.
        objective: what for.
        predict_by: the metric that predicts the objective's, such as a fitted accuracy predictor's.
        population: size of a generation.
        generations: number of those that are evaluated by the predictor.
        seed: of all draws.

    Raises:
        ValueError: sizes out of range, or the predictor is the objective's own metric.
    """

    def __init__(
        self,
        space: SearchSpace,
        objective: Objective,
        *,
        predict_by: str | None = None,
        population: int = 50,
        generations: int = 20,
        seed: int = 0,
    ) -> None:
        super().__init__(space, objective, seed=seed)
        if predict_by == objective.maximize:
            raise ValueError(
                f"predict_by must be a predictor of {predict_by}, not itself; without one it is maximised"
            )
        check_population(population)
        if generations < 1:
            raise ValueError(f"generations must be at least 1, not {generations}")
        self.predict_by, self.population, self.generations = predict_by, population, generations
        self._generator = np.random.default_rng(seed)
        self._random = partial(space.random, self._generator)
        self._proposed: set[Architecture] = set()
        self._parents: list[tuple[Fitness, Architecture]] = []
        self._scores: list[float] = []
        self._mean_score = 0.0
        self._children: list[tuple[Fitness, Architecture]] = []
        self._asked = 0
        self._generation = 0
        self._answers: deque[Architecture] | None = None

    def settings(self) -> Mapping[str, Any]:
        """Predictor and sizes."""
        return {
            "predict_by": self.predict_by,
            "population": self.population,
            "generations": self.generations,
        }

    def ask(self) -> Proposal | None:
        """A member of the generation under way, None until all of it are told; at last, the best."""
        if self._answers is not None:
            return Proposal(self._answers.popleft(), self.objective.maximize) if self._answers else None
        if self._asked == self.population:
            return None
        draw = self._child if self._parents else self._random
        chosen = feasible_or_any(draw, self.screen, self._proposed)
        self._asked += 1
        self._proposed.add(chosen)
        return Proposal(chosen, self.predict_by or self.objective.maximize)

    def tell(self, proposal: Proposal, metrics: Mapping[str, float]) -> None:
        """Add it to the generation; with the last of it, choose the next parents."""
        if self._answers is not None:
            return
        self._children.append((self._fitness(proposal, metrics), proposal.architecture))
        if len(self._children) == self.population:
            self._next_generation()

    def _fitness(self, proposal: Proposal, metrics: Mapping[str, float]) -> Fitness:
        if proposal.maximize == self.objective.maximize:
            return self.objective.fitness(metrics)
        return proxy_fitness(self.objective, metrics, proposal.maximize, self.screen)

    def _next_generation(self) -> None:
        ranked = sorted([*self._parents, *self._children], key=lambda member: member[0], reverse=True)
        self._parents = ranked[: self.population]
        self._scores = penalised([fitness for fitness, _ in self._parents])
        self._mean_score = sum(self._scores) / len(self._scores)
        self._children, self._asked = [], 0
        self._generation += 1
        if self.predict_by and self._generation == self.generations:
            self._answers = deque(dict.fromkeys(architecture for _, architecture in self._parents))

    def _child(self) -> Architecture:
        """A child of two tournaments' winners, by the probabilities of the fitter of them."""
        mother, father = self._selected(), self._selected()
        best, mean = self._scores[0], self._mean_score
        fitter = self._scores[min(mother, father)]
        child = self._parents[mother][1]
        if self._generator.random() < crossover_probability(fitter, best, mean):
            child = self.space.crossover(child, self._parents[father][1], self._generator)
        return self.space.redraw(child, mutation_probability(fitter, best, mean), self._generator)

    def _selected(self) -> int:
        """Position among the parents, best first, of the winner of a binary tournament."""
        size = len(self._parents)
        return min(int(self._generator.integers(size)), int(self._generator.integers(size)))
