"""A Gaussian process on physical descriptors.

ChamNet (Dai et al., CVPR 2019) predicts with Gaussian processes. Here the process works on milliseconds,
in which costs add up, with noise that grows with the latency; it is a line on the descriptors plus a smooth
correction. Its few hyper-parameters, among them whether every layer counts or only the live ones, are
averaged by marginal likelihood, so that it serves with ten networks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hwnas.latency.predictors.arrays import Arrays
from hwnas.latency.predictors.base import Floats, register
from hwnas.latency.predictors.features import CLASSES
from hwnas.latency.predictors.gaussian_process import (
    RELEVANCES,
    GaussianProcess,
    Hyper,
    condition,
    hyper_rows,
    read_hypers,
)
from hwnas.latency.predictors.linear import FLOOR, FeaturePredictor
from hwnas.latency.predictors.ridge import SMALL
from hwnas.latency.predictors.standardise import Standardised, different_columns
from hwnas.latency.predictors.sums import FEATURES, features
from hwnas.network.network import Network

_LIVE = np.array([name.startswith("live.") for name in FEATURES])
_LARGEST = 1e6
"""Standardised inputs and scaled targets of a file are refused beyond this."""


@register
class GpPredictor(FeaturePredictor):
    """Latency = scale · (1 + process(standardised features)); see `gaussian_process`.

    The noise's standard deviation is proportional to the latency, to `ridge.SMALL` of the median below.
    """

    kind: ClassVar[str] = "gp"
    fewest: ClassVar[int] = 5

    def __init__(self) -> None:
        super().__init__()
        self.scale_ms = 1.0
        self.floor_ms = 0.0
        self.standardised = Standardised(np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0))
        none = np.zeros(0)
        self.process = GaussianProcess(none[None], none.astype(np.bool_), none, none, (), none)

    def fit_features(self, x: Floats, latency_ms: Floats) -> None:
        """As `FeaturePredictor.fit_features`."""
        self.scale_ms = float(latency_ms.mean())
        self.floor_ms = FLOOR * float(latency_ms.min())
        columns = different_columns(x)
        self.standardised = Standardised.of(x, columns)
        relative = np.maximum(latency_ms, SMALL * float(np.median(latency_ms))) / self.scale_ms
        self.process = condition(
            self.standardised(x), _LIVE[columns], latency_ms / self.scale_ms - 1, relative**2
        )

    def predict_features(self, x: Floats) -> Floats:
        """As `FeaturePredictor.predict_features`."""
        return self._latency_ms(self.process.mean(self.standardised(x)))

    def relative_std(self, networks: Sequence[Network]) -> Floats:
        """The posterior's standard deviation, noise included, over the mean."""
        inputs = self.standardised(features(networks))
        latency_ms = self._latency_ms(self.process.mean(inputs))
        function = self.process.variance(inputs) * (self.scale_ms / latency_ms) ** 2
        return np.sqrt(function + self.process.noise)

    def _latency_ms(self, mean: Floats) -> Floats:
        return np.maximum(self.scale_ms * (1 + mean), self.floor_ms)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The standardised inputs and targets, and the hyper-parameters that are averaged."""
        return {
            "columns": self.standardised.columns,
            "centre": self.standardised.centre,
            "spread": self.standardised.spread,
            "inputs": self.process.inputs,
            "targets": self.process.targets,
            "noise_shape": self.process.noise_shape,
            "hypers": hyper_rows(self.process.hypers),
            "weights": self.process.weights,
            "scale_and_floor_ms": np.array([self.scale_ms, self.floor_ms]),
            "seen": self.seen,
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> GpPredictor:
        """As `Predictor.from_arrays`."""
        made = cls()
        made.standardised = Standardised.from_arrays(arrays, len(FEATURES))
        made.process = _process(arrays, _LIVE[made.standardised.columns])
        scale, floor = arrays.floats("scale_and_floor_ms", 2)
        arrays.require(scale > 0 and floor > 0, "scale_and_floor_ms", "positive")
        made.scale_ms, made.floor_ms = float(scale), float(floor)
        made.seen = arrays.booleans("seen", len(CLASSES))
        arrays.require(bool(made.seen.any()), "seen", "true for one class at least")
        return made


def _process(arrays: Arrays, live: NDArray[np.bool_]) -> GaussianProcess:
    targets = arrays.floats("targets", None)
    n = len(targets)
    hypers, weights = arrays.floats("hypers", None, len(Hyper._fields)), arrays.floats("weights", None)
    relevances = hypers[:, 0]
    arrays.require(
        bool(np.isin(relevances, range(len(RELEVANCES))).all()), "hypers", "relevances and variances"
    )
    made = GaussianProcess(
        arrays.floats("inputs", n, len(live)),
        live,
        targets,
        arrays.floats("noise_shape", n),
        read_hypers(hypers),
        weights,
    )
    arrays.require(n > 0 and len(hypers) == len(weights) > 0, "hypers", "as many as weights")
    arrays.require(bool((hypers[:, 1:] > 0).all() and (hypers <= _LARGEST).all()), "hypers", "positive")
    arrays.require(bool((weights >= 0).all() and abs(weights.sum() - 1) < 1e-6), "weights", "shares of 1")
    arrays.require(bool((made.noise_shape > 0).all()), "noise_shape", "positive")
    for name in ("inputs", "targets", "noise_shape"):
        arrays.require(bool((np.abs(getattr(made, name)) <= _LARGEST).all()), name, "of plausible size")
    arrays.require(_has_factors(made), "inputs", "such that covariances can be inverted")
    return made


def _has_factors(process: GaussianProcess) -> bool:
    try:
        return bool(process.factors)
    except np.linalg.LinAlgError:
        return False
