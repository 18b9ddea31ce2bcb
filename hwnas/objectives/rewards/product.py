"""Rewards that multiply the accuracy: an indicator, or a power of T/τ.

T is a cost, τ its bound, A the accuracy. Several constraints multiply: each with its own factor.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from hwnas.objectives.constraint import Constraint
from hwnas.objectives.rewards.base import (
    LARGEST_POWER,
    LARGEST_RATIO,
    Reward,
    fraction,
    ratios,
    require_at_most,
)


@dataclass(frozen=True)
class Hard(Reward):
    """A · 1{T ≤ τ}: the accuracy where all bounds are kept, else 0.

    So is the power-constrained reward of MONAS (Hsu et al., "MONAS: Multi-Objective Neural Architecture
    Search using Reinforcement Learning", 2018), but for T = τ, which bounds of hwnas include.
    """

    is_hard: ClassVar[bool] = True

    def __call__(
        self, accuracy: float, costs: Mapping[str, float], constraints: Sequence[Constraint]
    ) -> float:
        """See `Reward`."""
        accuracy = fraction(accuracy)
        return accuracy if all(ratio <= 1 for ratio in ratios(costs, constraints)) else 0.0


@dataclass(frozen=True)
class Soft(Reward):
    """A · (T/τ)^ω, where ω = `alpha` if T ≤ τ and `beta` otherwise.

    MnasNet (Tan et al., CVPR 2019), equations 2 and 3. Its soft constraint is α = β = -0.07: at twice the
    latency 5 % more accuracy, relatively, gives the same reward. Its hard one is α = 0, β = -1. TuNAS
    (Bender et al., CVPR 2020) calls α = 0 with another β `mnas_hard`. ProxylessNAS (Cai et al., ICLR 2019)
    rewards by A · (τ/T)^0.1, which is α = β = -0.1.

    Raises:
        ValueError: a `beta` of 0 or more (it would reward the slow), an `alpha` above 0, or one of them
            beyond `LARGEST_POWER`.
    """

    alpha: float = -0.07
    beta: float = -0.07

    def __post_init__(self) -> None:
        require_at_most(LARGEST_POWER, alpha=self.alpha, beta=self.beta)
        if self.beta >= 0:
            raise ValueError(f"beta must be below 0, or slow networks are rewarded, not {self.beta:g}")
        if self.alpha > 0:
            raise ValueError(f"alpha must be at most 0, or slow networks are rewarded, not {self.alpha:g}")

    def __call__(
        self, accuracy: float, costs: Mapping[str, float], constraints: Sequence[Constraint]
    ) -> float:
        """See `Reward`; a cost of 0, whose power may be infinite, is taken for 1 / `LARGEST_RATIO`."""
        found = [max(ratio, 1 / LARGEST_RATIO) for ratio in ratios(costs, constraints)]
        factors = (math.pow(ratio, self.alpha if ratio <= 1 else self.beta) for ratio in found)
        return fraction(accuracy) * math.prod(factors)
