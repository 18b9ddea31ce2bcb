"""A line on physical descriptors: latency = intercept + Σ weight · feature, for any network."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hwnas.latency.predictors.arrays import Arrays
from hwnas.latency.predictors.base import Floats, Predictor, UnseenLayersWarning, check_latencies, register
from hwnas.latency.predictors.features import CLASSES
from hwnas.latency.predictors.ridge import fit_ridge
from hwnas.latency.predictors.sums import FEATURES, features
from hwnas.network.network import Network

FLOOR = 0.1
"""Predictions stop at this share of the smallest latency fitted on."""

_COUNTS = np.array([FEATURES.index(f"every.{kind}.count") for kind in CLASSES])


class FeaturePredictor(Predictor):
    """A predictor that sees a network only through `features`."""

    def __init__(self) -> None:
        self.seen: NDArray[np.bool_] = np.zeros(len(CLASSES), dtype=np.bool_)

    def fit(self, networks: Sequence[Network], latency_ms: Floats) -> None:
        """As `Predictor.fit`, in one thread: on a busy machine several wait for each other for longer."""
        from threadpoolctl import threadpool_limits

        n = len(networks)
        measured = check_latencies(
            latency_ms, lambda i: f"network {i}", n=n, fewest=self.fewest, kind=self.kind
        )
        x = features(networks)
        self.seen = np.asarray((x[:, _COUNTS] > 0).any(axis=0))
        with threadpool_limits(1):
            self.fit_features(x, measured)

    def predict(self, networks: Sequence[Network]) -> Floats:
        """As `Predictor.predict`; warns (`UnseenLayersWarning`) of layers that no fitted network had."""
        return self.predict_features(self.checked_features(networks))

    def checked_features(self, networks: Sequence[Network]) -> Floats:
        """`features` of networks to be predicted; raises and warns as `predict`."""
        if not self.seen.any():
            raise RuntimeError(f"the {self.kind} predictor is not fitted: call fit first")
        x = features(networks)
        unseen = (x[:, _COUNTS] > 0).any(axis=0) & ~self.seen
        if unseen.any():
            kinds = ", ".join(kind for kind, is_unseen in zip(CLASSES, unseen, strict=True) if is_unseen)
            warnings.warn(
                f"no fitted network had layers of class {kinds}: the latency of one that has is extrapolated",
                UnseenLayersWarning,
                stacklevel=3,
            )
        return x

    @abstractmethod
    def fit_features(self, x: Floats, latency_ms: Floats) -> None:
        """Fit on features `[n, len(FEATURES)]` and latencies `[n]`."""

    @abstractmethod
    def predict_features(self, x: Floats) -> Floats:
        """Latencies in milliseconds, `[n]`, of features `[n, len(FEATURES)]`."""


@register
class LinearPredictor(FeaturePredictor):
    """Ridge regression on relative errors (`fit_ridge`); the weights are milliseconds per unit of a feature.

    A line extrapolated to far smaller networks may reach zero: predictions stop at `FLOOR` times the
    smallest latency fitted on.
    """

    kind: ClassVar[str] = "linear"
    fewest: ClassVar[int] = 4

    def __init__(self) -> None:
        super().__init__()
        self.weights = np.zeros(len(FEATURES))
        self.intercept_ms = 0.0
        self.floor_ms = 0.0
        self.left_out_ms: Floats = np.zeros(0)

    def fit_features(self, x: Floats, latency_ms: Floats) -> None:
        """As `FeaturePredictor.fit_features`; keeps the leave-one-out predictions in `left_out_ms`."""
        line = fit_ridge(x, latency_ms)
        self.weights, self.intercept_ms = line.weights, line.intercept
        self.floor_ms = FLOOR * float(latency_ms.min())
        self.left_out_ms = np.maximum(line.left_out, self.floor_ms)

    def predict_features(self, x: Floats) -> Floats:
        """As `FeaturePredictor.predict_features`."""
        return np.maximum(x @ self.weights + self.intercept_ms, self.floor_ms)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The line and the classes of layers seen."""
        return {
            "weights": self.weights,
            "intercept_and_floor_ms": np.array([self.intercept_ms, self.floor_ms]),
            "seen": self.seen,
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> LinearPredictor:
        """As `Predictor.from_arrays`."""
        made = cls()
        made.weights = arrays.floats("weights", len(FEATURES))
        intercept, floor = arrays.floats("intercept_and_floor_ms", 2)
        arrays.require(floor > 0, "intercept_and_floor_ms", "an intercept and a positive floor")
        made.intercept_ms, made.floor_ms = float(intercept), float(floor)
        made.seen = arrays.booleans("seen", len(CLASSES))
        arrays.require(bool(made.seen.any()), "seen", "true for one class at least")
        return made
