"""pymoo's NSGA-II in the loop of the strategies."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np

from hwnas.objectives import Objective
from hwnas.search.strategy import Proposal, Strategy
from hwnas.spaces import Architecture, SearchSpace

_TRIES = 1_000
_MOST_VIOLATION = 1e9


class PymooPeer(Strategy):
    """NSGA-II on the indices of the choices: uniform crossover, and each choice drawn anew with rate 1/n.

    Arithmetic operators, which pymoo has for integers, would take choices for quantities.

    Args:
        space: where to search.
        objective: what for.
        population: size of a generation.
        seed: of all draws.
    """

    def __init__(self, space: SearchSpace, objective: Objective, *, population: int, seed: int = 0) -> None:
        from pymoo.algorithms.moo.nsga2 import NSGA2
        from pymoo.core.problem import Problem
        from pymoo.core.termination import NoTermination
        from pymoo.operators.crossover.ux import UniformCrossover
        from pymoo.operators.sampling.rnd import IntegerRandomSampling

        super().__init__(space, objective, seed=seed)
        sizes = np.array([len(choices) for choices in space.choices])
        self._problem = Problem(
            n_var=len(sizes), n_obj=1, n_ieq_constr=1, xl=np.zeros(len(sizes), int), xu=sizes - 1, vtype=int
        )
        self._algorithm = NSGA2(
            pop_size=population,
            sampling=IntegerRandomSampling(),
            crossover=UniformCrossover(prob=0.9),
            mutation=_redraw(),
            eliminate_duplicates=True,
        )
        self._algorithm.setup(self._problem, termination=NoTermination(), seed=seed, verbose=False)
        self._generation: Any = None
        self._outcomes: list[tuple[float, float]] = []
        self._queue: deque[tuple[int, Architecture]] = deque()
        self._asked: deque[int] = deque()

    def ask(self) -> Proposal | None:
        """The next member of the generation; None until all before it are told, or where none is left."""
        for _ in range(_TRIES):
            if self._queue:
                place, architecture = self._queue.popleft()
                self._asked.append(place)
                return Proposal(architecture, self.objective.maximize)
            if self._asked:
                return None
            if self._generation is not None:
                self._learn()
            self._generation = self._algorithm.ask()
            if self._generation is None or not len(self._generation):
                return None
            self._begin()
        return None

    def tell(self, proposal: Proposal, metrics: Mapping[str, float]) -> None:
        """The value and the violation of a member."""
        value = metrics.get(self.objective.maximize, math.nan)
        self._outcomes[self._asked.popleft()] = (value, self.objective.violation(metrics))

    def _begin(self) -> None:
        """Queue the valid members; the others count as the most infeasible."""
        self._outcomes = [(math.nan, _MOST_VIOLATION)] * len(self._generation)
        for place, member in enumerate(self._generation.get("X").astype(int).tolist()):
            try:
                self._queue.append((place, self.space.from_encoding(member)))
            except ValueError:
                continue

    def _learn(self) -> None:
        """Give back the generation's values, negated to be minimised, and violations."""
        from pymoo.core.evaluator import Evaluator
        from pymoo.problems.static import StaticProblem

        values, violations = np.array(self._outcomes).T
        worst = np.nanmin(values) if np.isfinite(values).any() else 0.0
        losses = -np.where(np.isnan(values), worst, values)
        Evaluator().eval(
            StaticProblem(self._problem, F=losses[:, None], G=violations[:, None]), self._generation
        )
        self._algorithm.tell(infills=self._generation)


def _redraw() -> Any:
    """A mutation that draws each choice anew with a probability of 1 over their number."""
    from pymoo.core.mutation import Mutation

    class Redraw(Mutation):  # type: ignore[misc]
        def _do(self, problem: Any, members: Any, random_state: Any, **settings: Any) -> Any:
            changed = random_state.random(members.shape) < 1 / problem.n_var
            return np.where(
                changed, random_state.integers(problem.xl, problem.xu + 1, members.shape), members
            )

    return Redraw(prob=1.0)
