"""The Lagrangian: multipliers that are learned so that the constraints end up met."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hwnas.objectives.constraint import Constraint
from hwnas.objectives.rewards.base import (
    LARGEST_WEIGHT,
    Reward,
    fraction,
    ratios,
    require_at_most,
    require_finite,
)


@dataclass(frozen=True)
class Lagrangian(Reward):
    """A - Σ λ·(T/τ - 1), and after each architecture λ ← max(0, λ + η·(T/τ - 1)).

    The policy ascends the Lagrangian of "greatest expected accuracy subject to E[T] ≤ τ" and the
    multipliers descend it (dual ascent, Boyd and Vandenberghe, "Convex Optimization", 2004, chapter 5; in
    reinforcement learning Tessler et al., "Reward Constrained Policy Optimization", ICLR 2019, equation 7).
    λ is what a relative excess of 1 costs in accuracy; it rises while the bound is exceeded on average. Met
    is the bound on average over the policy's architectures; a policy needs an entropy bonus to stay open
    enough for λ to settle.

    Args:
        rate: η.
        multipliers: λ by the constrained metric; 0 for those that are not listed.

    Raises:
        ValueError: a `rate` of 0 or less, or a negative multiplier.
    """

    rate: float = 0.01
    multipliers: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        require_at_most(LARGEST_WEIGHT, rate=self.rate)
        require_finite(**dict(self.multipliers))
        if self.rate <= 0:
            raise ValueError(f"rate must be above 0, not {self.rate:g}")
        for metric, multiplier in self.multipliers:
            if multiplier < 0:
                raise ValueError(f"the multiplier of {metric} must be at least 0, not {multiplier:g}")

    def __call__(
        self, accuracy: float, costs: Mapping[str, float], constraints: Sequence[Constraint]
    ) -> float:
        """See `Reward`."""
        found = zip(constraints, ratios(costs, constraints), strict=True)
        weights = dict(self.multipliers)
        return fraction(accuracy) - sum(
            weights.get(constraint.metric, 0.0) * (ratio - 1) for constraint, ratio in found
        )

    def updated(self, costs: Mapping[str, float], constraints: Sequence[Constraint]) -> Lagrangian:
        """The same with the multipliers one step further; raises ValueError as the reward does."""
        weights = dict(self.multipliers)
        for constraint, ratio in zip(constraints, ratios(costs, constraints), strict=True):
            known = weights.get(constraint.metric, 0.0)
            weights[constraint.metric] = max(0.0, dual_ascent(known, ratio, self.rate))
        return replace(self, multipliers=tuple(weights.items()))


def dual_ascent(multiplier: float, ratio: float, rate: float) -> float:
    """λ + η·(T/τ - 1): the multiplier after a cost of `ratio` times its bound, at the rate η."""
    return multiplier + rate * (ratio - 1)
