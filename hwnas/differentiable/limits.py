"""What a derived architecture is to keep, and how far others are outside of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from hwnas.differentiable.connected import connected
from hwnas.differentiable.costs.targets import Cost
from hwnas.differentiable.skips import skips_by_row
from hwnas.differentiable.supernet.weights import CandidateWeights
from hwnas.objectives import Constraint
from hwnas.spaces.supernetwork import Supernetwork

LEAST_SHARE = 0.9
"""Of a target, that an architecture at the target uses."""
CUT_OFF = 1e6
"""How far one is outside whose output does not depend on its input: further than by any other limit."""
_AT_ONCE = 2048


@dataclass(frozen=True)
class Limits:
    """What a derived architecture is to keep.

    Attributes:
        costs: at least those of the targets.
        targets: each cost is to be at most its bound, and at least 0.9 of it; empty for no such limit.
        most_skips: in a cell; None for no limit.
    """

    costs: Mapping[str, Cost]
    targets: Sequence[Constraint] = ()
    most_skips: int | None = None


@dataclass(frozen=True, eq=False)
class Violations:
    """How far architectures are outside the limits."""

    supernetwork: Supernetwork
    limits: Limits

    def __call__(self, choices: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """By what shares of the targets, and how many skips, each is outside, `[n]`; 0 within.

        One that is cut off, which gives the same for all inputs, is outside by a million more.

        Args:
            choices: of n architectures, `[n, groups]`.
        """
        parts = np.split(choices, range(_AT_ONCE, len(choices), _AT_ONCE))
        return np.concatenate([self._outside(self._weights.at(part)).numpy() for part in parts])

    def _outside(self, chosen: Tensor) -> Tensor:
        outside = CUT_OFF * (~connected(self._weights, chosen)).double()
        for target in self.limits.targets:
            ratios = self.limits.costs[target.metric].expected.at(chosen) / target.bound
            outside += torch.maximum(ratios - 1, LEAST_SHARE - ratios).clamp(min=0)
        if self.limits.most_skips is not None:
            outside += (self._skips @ chosen - self.limits.most_skips).clamp(min=0).sum(dim=0)
        return outside

    @cached_property
    def _weights(self) -> CandidateWeights:
        return CandidateWeights(self.supernetwork)

    @cached_property
    def _skips(self) -> Tensor:
        return skips_by_row(self._weights)
