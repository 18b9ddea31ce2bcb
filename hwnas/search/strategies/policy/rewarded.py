"""From what a trial gave to the reward that a policy is taught with."""

from __future__ import annotations

import math
from collections.abc import Mapping

from hwnas.objectives import Objective, Reward
from hwnas.search.strategies.policy.ranks import RunningRank

SCORES = ("auto", "fraction", "percent", "rank")


class Rewarded:
    """Applies a reward to trials; a `Lagrangian` learns its multipliers on the way.

    What is maximised enters the reward as a number from 0 to 1. `score` says how:

    - `fraction`: as it is; values above 1 are refused.
    - `percent`: divided by 100.
    - `rank`: the share of the values so far that it exceeds, for scores without a scale.
    - `auto`: `fraction` for accuracies, `rank` for other metrics.

    Proxies of a warm-up are always ranked. An architecture that breaks a bound and was therefore not
    evaluated further is rewarded as if its accuracy were 0: no reward falls with the accuracy, so that is
    the least that it can have. A failed trial has no reward.

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

    def __call__(
        self, metrics: Mapping[str, float], maximize: str, *, is_fraction: bool = False
    ) -> float | None:
        """The reward by `maximize`, known to be a fraction or not; None where the trial failed."""
        constraints = [
            c for c in self.objective.constraints if math.isfinite(metrics.get(c.metric, math.nan))
        ]
        costs = {c.metric: metrics[c.metric] for c in constraints}
        is_broken = self.objective.violation(costs) > 0
        if len(constraints) < len(self.objective.constraints) and not is_broken:
            return None
        value = metrics.get(maximize, math.nan)
        if not math.isnan(value):
            accuracy = self._between_0_and_1(value, maximize, is_fraction)
        elif is_broken:
            accuracy = 0.0
        else:
            return None
        found = self.reward(accuracy, costs, constraints)
        self.reward = self.reward.updated(costs, constraints)
        return found

    def _between_0_and_1(self, value: float, maximize: str, is_fraction: bool) -> float:
        is_proxy = maximize != self.objective.maximize
        if is_proxy or self.score == "rank" or (self.score == "auto" and not is_fraction):
            return self._ranks.setdefault(maximize, RunningRank()).of(value)
        value = value / 100 if self.score == "percent" else value
        if 0 <= value <= 1:
            return value
        raise ValueError(
            f"{maximize} must be a fraction from 0 to 1, not {value:g}: give the strategy "
            "score='percent' for an accuracy in percent, or score='rank' for a score without a scale"
        )
