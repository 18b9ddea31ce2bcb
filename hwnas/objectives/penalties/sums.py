"""Penalties that add to the loss: the excess over the target, on both sides of it or beyond it only.

T is an expected cost, τ its target. The excess T/τ - 1 has no unit, so that a weight means the same for
FLOPs, parameters and milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hwnas.objectives.constraint import Constraint
from hwnas.objectives.penalties.base import Penalty, Scalar, require_weight
from hwnas.objectives.rewards.base import ratios


@dataclass(frozen=True)
class Ratio(Penalty):
    """L + λ·(T/τ - 1): every cost counts, below the target too; several constraints: the sum.

    ProxylessNAS' released `add#linear`, with its weight λ = 0.1 (Cai et al., ICLR 2019; the paper's
    equation 6 is L + λ₂·T). With T the expected FLOPs Σ softmax(α)_o · FLOP_o it is DARTS with the FLOPs
    regulariser; its gradient does not vanish at the target.

    Raises:
        ValueError: a negative `weight`.
    """

    weight: float = 0.1

    def __post_init__(self) -> None:
        require_weight(self.weight)

    def __call__(
        self, loss: Scalar, costs: Mapping[str, Scalar], constraints: Sequence[Constraint]
    ) -> Scalar:
        """See `Penalty`."""
        return loss + self.weight * sum(ratio - 1 for ratio in ratios(costs, constraints))


@dataclass(frozen=True)
class Hinge(Penalty):
    """L + λ·max(T/τ - 1, 0): nothing is added where a target is kept; several constraints: the sum.

    The exact penalty of a constrained problem (Nocedal and Wright, "Numerical Optimization", 2nd edition,
    equation 17.22): above a finite λ its minimum is that of the constrained problem.

    Raises:
        ValueError: a negative `weight`.
    """

    weight: float = 1.0

    def __post_init__(self) -> None:
        require_weight(self.weight)

    def __call__(
        self, loss: Scalar, costs: Mapping[str, Scalar], constraints: Sequence[Constraint]
    ) -> Scalar:
        """See `Penalty`."""
        excesses = (ratio - 1 for ratio in ratios(costs, constraints))
        return loss + self.weight * sum(excess for excess in excesses if excess > 0)
