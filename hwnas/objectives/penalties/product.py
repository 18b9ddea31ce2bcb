"""FBNet's penalty: the loss times a power of the logarithm of the cost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hwnas.objectives.constraint import Constraint
from hwnas.objectives.penalties.base import Penalty, Scalar
from hwnas.objectives.rewards.base import ratios, require_finite


@dataclass(frozen=True)
class Product(Penalty):
    """L · α · log₂(1 + T/τ)^β: at the target the factor is α.

    FBNet (Wu et al., CVPR 2019), equation 2, has L · α · log(T)^β with T in milliseconds, which is no number
    below 1 ms; ProxylessNAS' released `mul#log` has L · 0.2 · (log T / log τ)^0.3, of the same fault. Here T
    is a fraction of its target and 1 is added, so the factor is defined and rises for every cost above 0.
    Several constraints multiply, and α stands once.

    Raises:
        ValueError: an `alpha` or a `beta` of 0 or less.
    """

    alpha: float = 0.2
    beta: float = 0.6

    def __post_init__(self) -> None:
        require_finite(alpha=self.alpha, beta=self.beta)
        for name, value in (("alpha", self.alpha), ("beta", self.beta)):
            if value <= 0:
                raise ValueError(f"{name} must be above 0, not {value:g}")

    def __call__(
        self, loss: Scalar, costs: Mapping[str, Scalar], constraints: Sequence[Constraint]
    ) -> Scalar:
        """See `Penalty`; a cost of 0 is refused, at which the slope of the power is infinite."""
        found = ratios(costs, constraints)
        for constraint, ratio in zip(constraints, found, strict=True):
            if ratio == 0:
                raise ValueError(f"{constraint.metric} must be above 0: the product has no gradient there")
        factors = ((_log1p(ratio) / math.log(2)) ** self.beta for ratio in found)
        return loss * self.alpha * math.prod(factors)


def _log1p(value: Scalar) -> Scalar:
    return math.log1p(value) if isinstance(value, int | float) else value.log1p()
