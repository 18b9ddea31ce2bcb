"""What a reward is, and the checks that all rewards share."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

from hwnas.objectives.constraint import Constraint

LARGEST_RATIO = 1e6
"""A cost beyond so many times its bound is taken for so many times."""
LARGEST_POWER = 5.0
LARGEST_WEIGHT = 1e6
"""Of the settings of rewards: with these bounds none overflows, be it of ten constraints."""


class Reward(ABC):
    """One number for an architecture's accuracy and costs; the bounds are those of the constraints.

    No reward falls where the accuracy rises and the costs stay.

    Attributes:
        is_hard: whether an architecture that breaks a bound is worth the same whatever its accuracy is, so
            that a search need not know it.
    """

    is_hard: ClassVar[bool] = False

    @abstractmethod
    def __call__(
        self, accuracy: float, costs: Mapping[str, float], constraints: Sequence[Constraint]
    ) -> float:
        """The reward of an architecture.

        Args:
            accuracy: a fraction, from 0 to 1.
            costs: at least the constrained metrics, each in its constraint's unit, not negative.
            constraints: the bounds.

        Raises:
            ValueError: an accuracy that is no fraction, or a cost that is missing or no cost.
        """

    def updated(self, costs: Mapping[str, float], constraints: Sequence[Constraint]) -> Reward:
        """The reward to use once an architecture with these costs was seen; most rewards stay as they are."""
        return self


def fraction(accuracy: float) -> float:
    """`accuracy` itself; raises ValueError unless it lies in [0, 1]."""
    if 0 <= accuracy <= 1:
        return accuracy
    percent = 1 < accuracy <= 100
    hint = f"; {accuracy:g} looks like percent: divide it by 100" if percent else ""
    raise ValueError(f"accuracy must be a fraction from 0 to 1, not {accuracy:g}{hint}")


def ratios(costs: Mapping[str, float], constraints: Sequence[Constraint]) -> list[float]:
    """T/τ of each constraint: its cost over its bound, `LARGEST_RATIO` at most.

    Raises:
        ValueError: a cost is missing, or none.
    """
    found = []
    for constraint in constraints:
        if constraint.metric not in costs:
            raise ValueError(
                f"the reward needs {constraint.metric}, of which the bound is {constraint.bound:g}"
            )
        cost = costs[constraint.metric]
        if not 0 <= cost < math.inf:
            raise ValueError(f"{constraint.metric} must be a finite number of at least 0, not {cost}")
        found.append(min(cost / constraint.bound, LARGEST_RATIO))
    return found


def require_finite(**settings: float) -> None:
    """Raise ValueError naming the first of a reward's settings that is not a finite number."""
    for name, value in settings.items():
        if not isinstance(value, int | float) or not math.isfinite(value):
            raise ValueError(f"{name} must be a finite number, not {value!r}")


def require_at_most(limit: float, **settings: float) -> None:
    """Raise ValueError naming the first of a reward's settings that is no number of at most this size."""
    require_finite(**settings)
    for name, value in settings.items():
        if abs(value) > limit:
            raise ValueError(f"{name} must be from {-limit:g} to {limit:g}, not {value:g}")
