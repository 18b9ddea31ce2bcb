"""Rewards that add to the accuracy what a cost is worth.

T is a cost, τ its bound, A the accuracy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hwnas.objectives.constraint import Constraint
from hwnas.objectives.rewards.base import (
    LARGEST_WEIGHT,
    Reward,
    fraction,
    ratios,
    require_at_most,
    require_finite,
)


def mean(values: Sequence[float]) -> float:
    """The mean; 0 of nothing."""
    return sum(values) / len(values) if values else 0.0


def require_share(alpha: float) -> None:
    """Raise ValueError unless `alpha` is a weight from 0 to 1."""
    require_finite(alpha=alpha)
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha must be from 0 to 1, not {alpha:g}")


@dataclass(frozen=True)
class Weighted(Reward):
    """α·A + (1-α)·(1 - T/τ).

    The weighted sum α·A + (1-α)·(τ - T) with the slack as a fraction of the bound, so that it has no unit
    and does not depend on whether T is in seconds or milliseconds. Several constraints share the weight
    1-α: the slack is their mean.

    Raises:
        ValueError: an `alpha` outside [0, 1].
    """

    alpha: float = 0.5

    def __post_init__(self) -> None:
        require_share(self.alpha)

    def __call__(
        self, accuracy: float, costs: Mapping[str, float], constraints: Sequence[Constraint]
    ) -> float:
        """See `Reward`."""
        slack = mean([1 - ratio for ratio in ratios(costs, constraints)])
        return self.alpha * fraction(accuracy) + (1 - self.alpha) * slack


@dataclass(frozen=True)
class Absolute(Reward):
    """A + β·|T/τ - 1|: the cost is drawn to its bound, from both sides.

    TuNAS (Bender et al., "Can Weight Sharing Outperform Random Architecture Search?", CVPR 2020), section
    4. Its released code has -0.10 as the default, its studies -0.07. Several constraints: the sum.

    Raises:
        ValueError: a `beta` of 0 or more, or beyond `LARGEST_WEIGHT`.
    """

    beta: float = -0.07

    def __post_init__(self) -> None:
        require_at_most(LARGEST_WEIGHT, beta=self.beta)
        if self.beta >= 0:
            raise ValueError(f"beta must be below 0, or missing the bound is rewarded, not {self.beta:g}")

    def __call__(
        self, accuracy: float, costs: Mapping[str, float], constraints: Sequence[Constraint]
    ) -> float:
        """See `Reward`."""
        distance = sum(abs(ratio - 1) for ratio in ratios(costs, constraints))
        return fraction(accuracy) + self.beta * distance
