"""From what a trial gave to the reward that a policy is taught with."""

from __future__ import annotations

import math
from collections.abc import Mapping

from hwnas.objectives import Objective, Reward
from hwnas.search.screen import Screen
from hwnas.search.strategies.policy.ranks import RunningRank
from hwnas.search.strategies.proxy_fitness import proxy_merit

SCORES = ("auto", "fraction", "percent", "rank")
_BY_UNIT = {"fraction": "fraction", "%": "percent", "percent": "percent"}


class Rewarded:
    """Applies a reward to trials; from those by the objective's metric a `Lagrangian` learns its multipliers.

    What is maximised enters the reward as a number from 0 to 1. `score` says how:

    - `fraction`: as it is.
    - `percent`: divided by 100.
    - `rank`: the share of the values so far that it exceeds, for scores without a scale.
    - `auto`: by the metric's unit; `rank` where that is neither a fraction nor a percentage.

    Proxies of a warm-up are always ranked, each in its direction (`proxy_merit`). An architecture that breaks
    a bound and was therefore not evaluated further has the hard reward of an accuracy of 0, which is what any
    accuracy would give it. A trial without a value that the reward depends on has no reward.

    Raises:
        ValueError: an unknown `score`.
    """

    def __init__(self, objective: Objective, reward: Reward, score: str) -> None:
        if score not in SCORES:
            raise ValueError(f"score must be one of {', '.join(SCORES)}, not {score!r}")
        self.objective = objective
        self.reward = reward
        self.score = score
        self._ranks: dict[str, RunningRank] = {}

    def check_unit(self, unit: str) -> None:
        """Raise ValueError where the maximised metric's unit contradicts `score`."""
        said = _BY_UNIT.get(unit, self.score)
        if {said, self.score} == {"fraction", "percent"}:
            raise ValueError(
                f"score={self.score!r} does not fit {self.objective.maximize}, a {said}: leave it out, "
                f"or give score={said!r}"
            )

    def __call__(self, metrics: Mapping[str, float], maximize: str, screen: Screen | None) -> float | None:
        """The reward by `maximize`; None where there is none.

        Args:
            metrics: of the trial.
            maximize: the objective's metric or a proxy.
            screen: knows unit and direction of metrics; without one, what is maximised is a fraction.
        """
        constraints = [
            c for c in self.objective.constraints if math.isfinite(metrics.get(c.metric, math.nan))
        ]
        costs = {c.metric: metrics[c.metric] for c in constraints}
        is_worthless = self.reward.is_hard and self.objective.violation(costs) > 0
        if len(constraints) < len(self.objective.constraints) and not is_worthless:
            return None
        value = metrics.get(maximize, math.nan)
        if math.isnan(value) and not is_worthless:
            return None
        accuracy = 0.0 if math.isnan(value) else self._between_0_and_1(value, maximize, screen)
        found = self.reward(accuracy, costs, constraints)
        if maximize == self.objective.maximize:
            self.reward = self.reward.updated(costs, constraints)
        return found

    def _between_0_and_1(self, value: float, maximize: str, screen: Screen | None) -> float:
        is_proxy = maximize != self.objective.maximize
        unit = screen.metrics[self.objective.maximize].unit if screen else "fraction"
        scale = _BY_UNIT.get(unit, "rank") if self.score == "auto" else self.score
        if is_proxy or scale == "rank":
            score = proxy_merit(maximize, value, screen)
            return self._ranks.setdefault(maximize, RunningRank()).of(score)
        whole = 100 if scale == "percent" else 1
        if 0 <= value <= whole:
            return value / whole
        others = {"fraction": "score='percent' for an accuracy in percent, or ", "percent": ""}
        raise ValueError(
            f"{maximize} must be from 0 to {whole} where score is {scale!r}, not {value:g}: give the "
            f"strategy {others[scale]}score='rank' for a score without a scale"
        )
