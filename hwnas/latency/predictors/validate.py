"""How good a predictor is on networks that it was not fitted on."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hwnas.latency.predictors.base import Prediction, Predictor, UnseenLayersWarning
from hwnas.latency.predictors.calibration import FEWEST, LEVEL, calibrate, scores
from hwnas.network.network import Network

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

FOLDS = 5


@dataclass(frozen=True)
class HeldOutError:
    """Errors over networks that the predictor had not seen.

    The networks are those of all folds of a cross-validation, or ones measured only to validate.

    Attributes:
        n: number of networks.
        mape: mean of |predicted / measured - 1|: 0.03 is 3 %.
        within_5: share of networks predicted within 5 % of the measurement, 0 to 1.
        within_10: share within 10 %, 0 to 1.
        spearman: rank correlation in [-1, 1]; NaN where either side is constant.
        covered: share of networks within their 90 % interval, 0 to 1; the interval is that of the other
            folds' errors, or the predictor's own. NaN where there is none.
        half_width: half the width of that interval relative to the prediction, median over the
            networks: 0.07 is ± 7 %; NaN as above.

    Raises:
        ValueError: a number is out of range; the message names it.
    """

    n: int
    mape: float
    within_5: float
    within_10: float
    spearman: float
    covered: float = np.nan
    half_width: float = np.nan

    def __post_init__(self) -> None:
        if self.n < 1:
            raise ValueError(f"n is {self.n}; at least 1 network must be held out")
        if not 0 <= self.mape < np.inf:
            raise ValueError(f"mape is {self.mape}; it must be finite and not negative")
        for name in ("within_5", "within_10"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be 0 to 1")
        if not (np.isnan(self.spearman) or -1 <= self.spearman <= 1):
            raise ValueError(f"spearman is {self.spearman}; it must be -1 to 1")
        if not (np.isnan(self.covered) or 0 <= self.covered <= 1):
            raise ValueError(f"covered is {self.covered}; it must be 0 to 1")
        if not (np.isnan(self.half_width) or 0 <= self.half_width < np.inf):
            raise ValueError(f"half_width is {self.half_width}; it must be finite and not negative")

    def __str__(self) -> str:
        return (
            f"{self.mape:.1%} mean error, {self.within_5:.0%} within 5%, {self.within_10:.0%} within "
            f"10%, rank correlation {self.spearman:.3f} ({self.n} networks held out)"
        )


def mape(predicted: Floats, measured: Floats) -> float:
    """Mean absolute percentage error as a fraction: mean |predicted / measured - 1|; both `[n]`."""
    return float(np.mean(_relative_errors(predicted, measured)))


def within(predicted: Floats, measured: Floats, tolerance: float) -> float:
    """Share of predictions, 0 to 1, within ± `tolerance` of the measurement; both `[n]`.

    The ±10 % accuracy of nn-Meter (Zhang et al., MobiSys 2021, section 7) with `tolerance` 0.1.
    """
    return float(np.mean(_relative_errors(predicted, measured) <= tolerance))


def spearman(predicted: Floats, measured: Floats) -> float:
    """Spearman's rank correlation, ties ranked by their mean; NaN where a side is constant. Both `[n]`."""
    from scipy.stats import rankdata

    ranks = [np.asarray(rankdata(side), dtype=np.float64) for side in (predicted, measured)]
    a, b = (rank - rank.mean() for rank in ranks)
    spread = float(np.sqrt((a @ a) * (b @ b)))
    return min(1.0, max(-1.0, float(a @ b) / spread)) if spread > 0 else float("nan")


def held_out_error(predicted: Floats, measured: Floats) -> HeldOutError:
    """All figures at once; both `[n]`, in the same unit, `measured` positive."""
    return HeldOutError(
        n=len(measured),
        mape=mape(predicted, measured),
        within_5=within(predicted, measured, 0.05),
        within_10=within(predicted, measured, 0.1),
        spearman=spearman(predicted, measured),
    )


def folds(n: int, k: int, *, seed: int) -> Iterator[tuple[Indices, Indices]]:
    """`k` pairs (to fit, to hold out) of indices below `n`; each index is held out once."""
    order = np.random.default_rng(seed).permutation(n)
    for part in np.array_split(order, k):
        yield np.setdiff1d(np.arange(n), part), np.sort(part)


def can_cross_validate(n: int, fewest: int) -> bool:
    """Whether each of `FOLDS` folds of `n` networks leaves at least `fewest` to fit on."""
    return n >= 2 and n - -(-n // FOLDS) >= fewest


def fewest_to_calibrate(fewest: int) -> int:
    """The fewest networks of which scores are found for a predictor that is fitted on `fewest`."""
    return max(FEWEST, fewest_to_hold_out(fewest))


def fewest_to_hold_out(fewest: int) -> int:
    """The fewest networks of which some can be held out from a predictor that is fitted on `fewest`."""
    return next(n for n in count(1) if can_cross_validate(n, fewest))


class CrossValidation(NamedTuple):
    """The error over all folds together, and the scores (see `calibration`) of all networks, `[n]`."""

    error: HeldOutError
    scores: Floats


def cross_validated(
    fit_predict: Callable[[Indices, Indices], Prediction], measured: Floats, *, seed: int
) -> CrossValidation:
    """Cross-validation in `FOLDS` folds (leave-one-out below that many networks), all predictions together.

    Args:
        fit_predict: fits on the first indices and predicts the second, in the unit of `measured`.
        measured: `[n]`.
        seed: of the folds.
    """
    parts = list(folds(len(measured), min(FOLDS, len(measured)), seed=seed))
    predicted, relative_std = np.full((2, len(measured)), np.nan)
    for kept, held_out in parts:
        predicted[held_out], relative_std[held_out] = fit_predict(kept, held_out)
    found = scores(measured, predicted, relative_std)
    covered, half_width = _intervals(found, relative_std, parts)
    error = replace(held_out_error(predicted, measured), covered=covered, half_width=half_width)
    return CrossValidation(error, found)


def _intervals(
    found: Floats, relative_std: Floats, parts: Sequence[tuple[Indices, Indices]]
) -> tuple[float, float]:
    """The share of scores within the interval that those of the other folds give, and its half-width."""
    half = np.full(len(found), np.nan)
    for kept, held_out in parts:
        calibration = calibrate(found[kept])
        if calibration is None:
            return np.nan, np.nan
        half[held_out] = calibration.half_width(LEVEL)
    return float(np.mean(np.abs(found) <= half)), float(np.median(half * relative_std))


def cross_validate(
    make: Callable[[], Predictor], networks: Sequence[Network], latency_ms: Floats, *, seed: int
) -> CrossValidation:
    """Cross-validates the predictors that `make` makes, each fitted anew on the rest of `networks`."""

    def fit_predict(kept: Indices, held_out: Indices) -> Prediction:
        predictor = make()
        predictor.fit([networks[i] for i in kept], latency_ms[kept])
        return predictor.prediction([networks[i] for i in held_out])

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnseenLayersWarning)
        return cross_validated(fit_predict, latency_ms, seed=seed)


def _relative_errors(predicted: Floats, measured: Floats) -> Floats:
    return np.asarray(np.abs(np.asarray(predicted) / np.asarray(measured) - 1))
