"""What a penalty is: a loss made greater by expected costs, for searches that follow gradients."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from hwnas.objectives.constraint import Constraint
from hwnas.objectives.rewards.base import require_finite

Scalar: TypeAlias = Any
"""A float, or a torch tensor of no axes: penalties are arithmetic alone, so that gradients pass through."""


class Penalty(ABC):
    """The loss that the architecture parameters descend; the targets are the bounds of the constraints.

    One penalty is for all constraints of a search: each counts in the same form. Where a loss is not
    negative, it does not get smaller as a cost rises above its target. The exception is a `Lagrangian` with
    a negative multiplier λ, which costs below the target lead to: it falls up to an excess of -λ/μ, and
    without damping μ it falls without end.
    """

    @abstractmethod
    def __call__(
        self, loss: Scalar, costs: Mapping[str, Scalar], constraints: Sequence[Constraint]
    ) -> Scalar:
        """The loss with what the costs add to it, a scalar of the loss's kind.

        Args:
            loss: of the task, such as a cross-entropy.
            costs: at least the constrained metrics, expected over the architectures of the supernet, each in
                its constraint's unit, not negative.
            constraints: the targets.

        Raises:
            ValueError: a cost that is missing or no cost.
        """

    def updated(self, costs: Mapping[str, Scalar], constraints: Sequence[Constraint]) -> Penalty:
        """The penalty to use once these costs were seen; most penalties stay as they are."""
        return self


def require_weight(weight: float) -> None:
    """Raise ValueError unless `weight` is a finite number of at least 0."""
    require_finite(weight=weight)
    if weight < 0:
        raise ValueError(f"weight must be at least 0, or costly networks are rewarded, not {weight:g}")


def plain(value: Scalar) -> float:
    """The number that a scalar holds."""
    return float(value) if isinstance(value, int | float) else float(value.item())
