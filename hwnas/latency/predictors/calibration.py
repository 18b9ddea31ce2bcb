"""Intervals around predictions, from the errors on networks that a predictor had not seen.

A score is a relative error in units of the predictor's own relative standard deviation,
(measured / predicted - 1) / relative_std. The scores of held-out networks are exchangeable with that of
a new network of the same kind; so the ceil((n + 1) · level)-th smallest of n scores is reached with
probability `level` at least (split conformal prediction: Lei et al., JASA 2018, eq. 4). The scores come
from cross-validation, in which each predictor saw fewer networks than the one that is used: they are
slightly too large rather than too small (Barber et al., Annals of Statistics 2021, the jackknife+).

Networks that were chosen for what they tell are no random draw, and their scores are not those of others; a
predictor with a posterior of known shape has intervals from that instead.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Method = Literal["conformal", "student-t", "posterior"]

LEVEL = 0.9
"""Probability of bounds and intervals by default."""

FEWEST = 3
"""The fewest scores that say anything about their spread."""


@dataclass(frozen=True)
class Calibration:
    """The scores of networks that were held out.

    With too few scores for a quantile of theirs at some level (`method`), errors are taken to be normal
    with mean zero: the quantile is Student's t (n - 1 degrees of freedom) times the scores' root mean
    square.

    Attributes:
        scores: ascending; none where `freedom` is given.
        freedom: scores are Student's t with so many degrees of freedom, as the predictor's posterior has it.

    Raises:
        ValueError: fewer than `FEWEST` scores, not finite, or not in order; degrees of freedom that are not
            positive; the message names it.
    """

    scores: tuple[float, ...]
    freedom: float | None = None

    def __post_init__(self) -> None:
        if self.freedom is not None:
            if not 0 < self.freedom < math.inf or self.scores:
                raise ValueError(f"freedom is {self.freedom}; it must be positive, and scores empty")
            return
        if len(self.scores) < FEWEST:
            raise ValueError(f"scores are {len(self.scores)}; a calibration needs at least {FEWEST}")
        if not all(map(math.isfinite, self.scores)):
            raise ValueError("scores must be finite numbers")
        if any(a > b for a, b in zip(self.scores, self.scores[1:], strict=False)):
            raise ValueError("scores must be in ascending order")

    @property
    def n(self) -> int:
        """Number of scores."""
        return len(self.scores)

    def method(self, level: float) -> Method:
        """Whether the scores suffice for a quantile of theirs at `level`: n >= level / (1 - level)."""
        check_level(level)
        if self.freedom is not None:
            return "posterior"
        return "conformal" if _rank(self.n, level) <= self.n else "student-t"

    def upper(self, level: float = LEVEL) -> float:
        """The score that a new network exceeds with probability 1 - `level` at most."""
        return self._quantile(self.scores, level, tail=level)

    def half_width(self, level: float = LEVEL) -> float:
        """The absolute score that a new network exceeds with probability 1 - `level` at most."""
        return self._quantile(sorted(map(abs, self.scores)), level, tail=(1 + level) / 2)

    def probability_below(self, scores: Floats) -> Floats:
        """With which probability a new network's score is at most each of `scores`; any shape.

        Student's t throughout: a quantile of a few scores is no distribution. Where all scores of the
        calibration are 0, it is a step at 0.
        """
        from scipy.stats import t

        if self.freedom is not None:
            return np.asarray(t.cdf(scores, self.freedom))
        if self._spread == 0:
            return np.where(scores >= 0, 1.0, 0.0)
        return np.asarray(t.cdf(scores / self._spread, self.n - 1))

    @property
    def _spread(self) -> float:
        """Root mean square of the scores."""
        return math.sqrt(sum(score**2 for score in self.scores) / self.n)

    def _quantile(self, values: Iterable[float], level: float, *, tail: float) -> float:
        """The `level` quantile of `values`; else Student's t at `tail`, the same in one tail."""
        if self.method(level) == "conformal":
            return float(list(values)[_rank(self.n, level) - 1])
        from scipy.stats import t

        if self.freedom is not None:
            return float(t.ppf(tail, self.freedom))
        return float(t.ppf(tail, self.n - 1)) * self._spread


def check_level(level: float) -> float:
    """`level`; raises ValueError where it is no probability above a half and below 1."""
    if not 0.5 <= level < 1:
        raise ValueError(f"level is {level}; it must be at least 0.5 and below 1, such as 0.9")
    return level


def scores(measured: Floats, predicted: Floats, relative_std: Floats) -> Floats:
    """(measured / predicted - 1) / relative_std; all `[n]`, the first two in one unit, all positive."""
    return np.asarray((measured / predicted - 1) / relative_std)


def calibrate(values: Floats) -> Calibration | None:
    """The calibration of scores `[n]` in any order, to six digits; None where they are too few."""
    if len(values) < FEWEST:
        return None
    return Calibration(tuple(float(f"{score:.6g}") for score in np.sort(values)))


def _rank(n: int, level: float) -> int:
    """ceil((n + 1) · level), rounding errors of the product aside."""
    return math.ceil(round((n + 1) * level, 9))
