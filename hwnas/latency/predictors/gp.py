"""A Gaussian process on physical descriptors.

ChamNet (Dai et al., CVPR 2019) predicts with Gaussian processes. Here the process works on milliseconds,
in which costs add up, with noise that grows with the latency (`mixture`). It is the sum of a line on what
every layer asks for, a line on what the live layers ask for, and a smooth correction. How much each of them
matters is averaged by marginal likelihood, so that it serves with ten networks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hwnas.latency.predictors.arrays import Arrays
from hwnas.latency.predictors.base import Floats, Prediction, register
from hwnas.latency.predictors.features import CLASSES
from hwnas.latency.predictors.grams import Columns
from hwnas.latency.predictors.linear import FLOOR, FeaturePredictor
from hwnas.latency.predictors.mixture import Posterior, infer, prior
from hwnas.latency.predictors.mixture_arrays import (
    posterior_arrays,
    read_inputs,
    read_posterior,
    read_targets,
)
from hwnas.latency.predictors.standardise import Standardised, different_columns
from hwnas.latency.predictors.sums import FEATURES
from hwnas.network.network import Network

RANGES = ((1e-3, 1.0), (1e-3, 1.0), (1e-5, 0.1))
"""Least and largest prior variance of the two lines and the smooth part, for latencies of order 1."""

_EVERY = len(FEATURES) // 2
"""The columns of `features` over every layer come first, those over the live layers after them."""


@dataclass(frozen=True)
class _Fitted:
    """What `fit` finds out; latencies are `scale_ms` times the posterior's targets, `floor_ms` at least.

    Attributes:
        standardised: the chosen columns of `features`.
        inputs: `[n, chosen columns]`, of the measured networks.
        posterior: given them.
        scale_ms: in milliseconds.
        floor_ms: in milliseconds.
    """

    standardised: Standardised
    inputs: Floats
    posterior: Posterior
    scale_ms: float
    floor_ms: float

    def columns(self, x: Floats) -> Columns:
        """What the kernels see of features `[N, len(FEATURES)]`."""
        return _columns(self.standardised(x), self.standardised)

    def latency_ms(self, grams: Floats) -> Floats:
        """`[kernels, N, n] -> [N]`."""
        return np.maximum(self.scale_ms * self.posterior.mean(grams), self.floor_ms)


@register
class GpPredictor(FeaturePredictor):
    """See the module's description."""

    kind: ClassVar[str] = "gp"
    fewest: ClassVar[int] = 5

    def __init__(self) -> None:
        super().__init__()
        self._found: _Fitted | None = None

    def fit_features(self, x: Floats, latency_ms: Floats) -> None:
        """As `FeaturePredictor.fit_features`."""
        halves = different_columns(x[:, :_EVERY]), different_columns(x[:, _EVERY:]) + _EVERY
        standardised = Standardised.of(x, np.concatenate(halves))
        inputs = standardised(x)
        columns = _columns(inputs, standardised)
        scale_ms = float(np.median(latency_ms))
        posterior = infer(columns.grams(columns), latency_ms / scale_ms, prior(RANGES))
        self._found = _Fitted(standardised, inputs, posterior, scale_ms, FLOOR * float(latency_ms.min()))

    def predict_features(self, x: Floats) -> Floats:
        """As `FeaturePredictor.predict_features`."""
        found = self._fitted
        return found.latency_ms(found.columns(x).grams(self._measured))

    def prediction(self, networks: Sequence[Network]) -> Prediction:
        """As `Predictor.prediction`, by the predictive standard deviation, noise included."""
        columns = self._fitted.columns(self.checked_features(networks))
        grams = columns.grams(self._measured)
        latency_ms = self._fitted.latency_ms(grams)
        std_ms = self._fitted.scale_ms * np.sqrt(self._fitted.posterior.variance(grams, columns.own()))
        return Prediction(latency_ms, std_ms / latency_ms)

    @property
    def _fitted(self) -> _Fitted:
        if self._found is None:
            raise RuntimeError("the gp predictor is not fitted: call fit first")
        return self._found

    @property
    def _measured(self) -> Columns:
        return _columns(self._fitted.inputs, self._fitted.standardised)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The standardised measured networks and what they tell."""
        found = self._fitted
        return {
            "columns": found.standardised.columns,
            "centre": found.standardised.centre,
            "spread": found.standardised.spread,
            "inputs": found.inputs,
            **posterior_arrays(found.posterior),
            "scale_and_floor_ms": np.array([found.scale_ms, found.floor_ms]),
            "seen": self.seen,
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> GpPredictor:
        """As `Predictor.from_arrays`."""
        standardised = Standardised.from_arrays(arrays, len(FEATURES))
        inputs = read_inputs(arrays, "inputs", len(read_targets(arrays)), len(standardised.columns))
        columns = _columns(inputs, standardised)
        posterior = read_posterior(arrays, columns.grams(columns))
        scale, floor = arrays.floats("scale_and_floor_ms", 2)
        arrays.require(scale > 0 and floor > 0, "scale_and_floor_ms", "positive")
        made = cls()
        made._found = _Fitted(standardised, inputs, posterior, float(scale), float(floor))
        made.seen = arrays.booleans("seen", len(CLASSES))
        arrays.require(bool(made.seen.any()), "seen", "true for one class at least")
        return made


def _columns(inputs: Floats, standardised: Standardised) -> Columns:
    """What the kernels see of standardised inputs, `[N, d]`: every layer's, the live ones', and both.

    Each of mean squared length 1 over the networks by which they were standardised.
    """
    is_live = standardised.columns >= _EVERY
    every, live = _scaled(inputs[:, ~is_live]), _scaled(inputs[:, is_live])
    return Columns((every, live), (_scaled(inputs),))


def _scaled(inputs: Floats) -> Floats:
    return np.asarray(inputs / np.sqrt(max(1, inputs.shape[1])))
