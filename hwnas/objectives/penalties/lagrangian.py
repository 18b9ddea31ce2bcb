"""The Lagrangian: multipliers that are learned so that the expected costs end at their targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hwnas.objectives.constraint import Constraint
from hwnas.objectives.penalties.base import Penalty, Scalar, plain
from hwnas.objectives.rewards.base import ratios, require_finite
from hwnas.objectives.rewards.lagrangian import dual_ascent


@dataclass(frozen=True)
class Lagrangian(Penalty):
    """L + Σ λ·(T/τ - 1) + μ/2·(T/τ - 1)², and after each step λ ← λ + η·(T/τ - 1).

    The multiplier is LightNAS' (Luo et al., "You Only Search Once: On Lightweight Differentiable Architecture
    Search for Resource-Constrained Embedded Platforms", DAC 2022), which rises above the target and falls
    below it, below 0 too, so that a search ends at the target and not somewhere beneath it. The square damps
    the oscillation that the two opposed descents would keep up (Platt and Barr, "Constrained Differential
    Optimization", NIPS 1987); at the target it is 0.

    Args:
        rate: η.
        damping: μ.
        multipliers: λ by the constrained metric; 0 for those that are not listed.

    Raises:
        ValueError: a `rate` of 0 or less, a negative `damping`.
    """

    rate: float = 0.05
    damping: float = 10.0
    multipliers: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        require_finite(rate=self.rate, damping=self.damping, **dict(self.multipliers))
        if self.rate <= 0:
            raise ValueError(f"rate must be above 0, not {self.rate:g}")
        if self.damping < 0:
            raise ValueError(f"damping must be at least 0, not {self.damping:g}")

    def __call__(
        self, loss: Scalar, costs: Mapping[str, Scalar], constraints: Sequence[Constraint]
    ) -> Scalar:
        """See `Penalty`."""
        weights = dict(self.multipliers)
        for constraint, ratio in zip(constraints, ratios(costs, constraints), strict=True):
            excess = ratio - 1
            loss = loss + (weights.get(constraint.metric, 0.0) + self.damping / 2 * excess) * excess
        return loss

    def updated(self, costs: Mapping[str, Scalar], constraints: Sequence[Constraint]) -> Lagrangian:
        """The same with the multipliers one step further; raises ValueError as the penalty does."""
        weights = dict(self.multipliers)
        for constraint, ratio in zip(constraints, ratios(costs, constraints), strict=True):
            known = weights.get(constraint.metric, 0.0)
            weights[constraint.metric] = dual_ascent(known, plain(ratio), self.rate)
        return replace(self, multipliers=tuple(weights.items()))
