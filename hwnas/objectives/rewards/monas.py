"""The rewards of MONAS; the power-constrained one is `Hard`.

Hsu et al., "MONAS: Multi-Objective Neural Architecture Search using Reinforcement Learning", 2018.
The paper's E is an energy normalised to [0, 1]; here it is T/τ, the cost over its bound, and the mean of
those where there are several constraints.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hwnas.objectives.constraint import Constraint
from hwnas.objectives.rewards.base import Reward, fraction, ratios, require_finite
from hwnas.objectives.rewards.sums import mean, require_share


@dataclass(frozen=True)
class Mixed(Reward):
    """α·A - (1-α)·E: `Weighted` but for the constant 1-α. E is above 1 where the bound is exceeded.

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
        return self.alpha * fraction(accuracy) - (1 - self.alpha) * mean(ratios(costs, constraints))


@dataclass(frozen=True)
class AccuracyConstrained(Reward):
    """1 - E if A ≥ `threshold`, else 0; E at most 1, so that no accurate architecture has less than 0.

    Raises:
        ValueError: a `threshold` that is no fraction, such as a percentage.
    """

    threshold: float

    def __post_init__(self) -> None:
        require_finite(threshold=self.threshold)
        if not 0 < self.threshold <= 1:
            raise ValueError(f"threshold must be a fraction above 0 and at most 1, not {self.threshold:g}")

    def __call__(
        self, accuracy: float, costs: Mapping[str, float], constraints: Sequence[Constraint]
    ) -> float:
        """See `Reward`."""
        energy = mean([min(ratio, 1.0) for ratio in ratios(costs, constraints)])
        return 1 - energy if fraction(accuracy) >= self.threshold else 0.0
