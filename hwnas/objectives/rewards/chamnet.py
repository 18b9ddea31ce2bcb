"""The penalised accuracy of ChamNet."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hwnas.objectives.constraint import Constraint
from hwnas.objectives.rewards.base import (
    LARGEST_POWER,
    LARGEST_WEIGHT,
    Reward,
    fraction,
    ratios,
    require_at_most,
)


@dataclass(frozen=True)
class Penalized(Reward):
    """A - Σ (α · max(T/τ - 1, 0))^w: nothing is taken off where a bound is kept.

    ChamNet (Dai et al., CVPR 2019), whose fitness is A - [α·H(F - F_thres)]^w with a Heaviside function H.
    There α has the unit of 1/F; here the excess is a fraction of the bound, so α has none, and at the
    defaults all accuracy is lost at twice the bound. Several constraints: the sum.

    Raises:
        ValueError: an `alpha` or a `power` of 0 or less, or beyond `LARGEST_WEIGHT` and `LARGEST_POWER`.
    """

    alpha: float = 1.0
    power: float = 2.0

    def __post_init__(self) -> None:
        require_at_most(LARGEST_WEIGHT, alpha=self.alpha)
        require_at_most(LARGEST_POWER, power=self.power)
        for name, value in (("alpha", self.alpha), ("power", self.power)):
            if value <= 0:
                raise ValueError(f"{name} must be above 0, not {value:g}")

    def __call__(
        self, accuracy: float, costs: Mapping[str, float], constraints: Sequence[Constraint]
    ) -> float:
        """See `Reward`."""
        excesses = [max(ratio - 1, 0.0) for ratio in ratios(costs, constraints)]
        return fraction(accuracy) - sum(math.pow(self.alpha * excess, self.power) for excess in excesses)
