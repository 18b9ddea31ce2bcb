"""What the networks of a space that satisfy the limits are like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hwnas.spaces import SearchSpace
from hwnas.tinynas.sampling import Draws

Floats = NDArray[np.float64]
PERCENTILE = 80

Criterion = Callable[[Floats, Floats], Floats]
"""From MACs `[..., satisfying]` and fractions that satisfy the limits `[...]` to scores `[...]`."""

CRITERIA: dict[str, Criterion] = {
    "mean": lambda macs, fraction: macs.mean(axis=-1),
    "p80": lambda macs, fraction: np.percentile(macs, PERCENTILE, axis=-1),
    "mean*feasible": lambda macs, fraction: macs.mean(axis=-1) * fraction,
}
"""`mean` is the rule of TinyNAS (Lin et al., "MCUNet", NeurIPS 2020, section 3.1)."""


def criterion_of(name: str) -> Criterion:
    """The criterion called `name`; raises ValueError naming those that exist."""
    if name not in CRITERIA:
        raise ValueError(f"unknown criterion {name!r}; known: {', '.join(CRITERIA)}")
    return CRITERIA[name]


@dataclass(frozen=True, eq=False)
class SpaceStatistics:
    """The networks that were drawn from one space.

    Attributes:
        name: what the grid calls the space.
        space: the space itself.
        draws: what was found.
        limits: names of the limited metrics, in the order of `draws.excluded`.
        score: by the criterion of the selection; NaN where no network satisfies the limits.
        probability_first: with which it is the first, by the bootstrap; 0 where it ranks too far behind; None
            where too few networks satisfy the limits to say so.
        is_flagged: whether fewer networks satisfy the limits than the selection asks for.
    """

    name: str
    space: SearchSpace
    draws: Draws
    limits: tuple[str, ...]
    score: float
    probability_first: float | None
    is_flagged: bool

    @property
    def drawn(self) -> int:
        """Networks that were drawn."""
        return self.draws.drawn

    @property
    def satisfying(self) -> int:
        """Those that satisfy all limits."""
        return len(self.draws.macs)

    @property
    def feasible(self) -> float:
        """The fraction that satisfies all limits."""
        return self.satisfying / self.drawn

    @property
    def mean_macs(self) -> float:
        """Mean MACs of the satisfying networks; NaN where there are none. 1 MAC is 2 FLOPs."""
        return float(self.draws.macs.mean()) if self.satisfying else float("nan")

    @property
    def p80_macs(self) -> float:
        """What the MACs of 80 % of the satisfying networks stay within; NaN where there are none."""
        return self.quantile(PERCENTILE / 100)

    def quantile(self, fraction: float) -> float:
        """What the MACs of this fraction of the satisfying networks stay within (interpolated)."""
        return float(np.quantile(self.cdf, fraction)) if self.satisfying else float("nan")

    @cached_property
    def cdf(self) -> Floats:
        """`[satisfying]`: the MACs in ascending order; the i-th of n is the CDF's (i + 1)/n."""
        return np.sort(self.draws.macs)

    @property
    def tightest(self) -> str | None:
        """The limited metric that excludes the most networks; None where nothing is excluded."""
        most = max(self.draws.excluded)
        return self.limits[self.draws.excluded.index(most)] if most else None

    @property
    def excluded(self) -> dict[str, float]:
        """For each limited metric the fraction of the networks that exceed its limit."""
        return {
            name: number / self.drawn for name, number in zip(self.limits, self.draws.excluded, strict=True)
        }
