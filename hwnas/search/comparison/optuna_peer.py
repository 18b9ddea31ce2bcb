"""Optuna's samplers in the loop of the strategies."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

from hwnas.objectives import Objective
from hwnas.search.strategy import Proposal, Strategy
from hwnas.spaces import SearchSpace

_TRIES = 1_000
_NOT_TRAINED = 0.0


class OptunaPeer(Strategy):
    """An Optuna study, asked and told.

    Args:
        space: where to search.
        objective: what for.
        sampler: `tpe` or `nsga2`.
        population: size of NSGA-II's; TPE has none.
        seed: of all draws.
    """

    def __init__(
        self, space: SearchSpace, objective: Objective, *, sampler: str, population: int, seed: int = 0
    ) -> None:
        import optuna

        super().__init__(space, objective, seed=seed)
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        samplers: dict[str, optuna.samplers.BaseSampler] = {
            "tpe": optuna.samplers.TPESampler(seed=seed),
            "nsga2": optuna.samplers.NSGAIISampler(population_size=population, seed=seed),
        }
        self._study = optuna.create_study(direction="maximize", sampler=samplers[sampler])
        self._asked: deque[Any] = deque()

    def ask(self) -> Proposal | None:
        """The study's next trial whose parameters make an architecture."""
        import optuna

        for _ in range(_TRIES):
            trial = self._study.ask()
            try:
                architecture = self.space.suggest(trial)
            except optuna.TrialPruned:
                self._study.tell(trial, state=optuna.trial.TrialState.PRUNED)
                continue
            self._asked.append(trial)
            return Proposal(architecture, self.objective.maximize)
        return None

    def tell(self, proposal: Proposal, metrics: Mapping[str, float]) -> None:
        """The value and the constraints; of what breaks one, both samplers look at the violation alone."""
        trial = self._asked.popleft()
        for one in self.objective.constraints:
            trial.set_constraint(one.metric, metrics[one.metric] / one.bound - 1)
        self._study.tell(trial, metrics.get(self.objective.maximize, _NOT_TRAINED))
