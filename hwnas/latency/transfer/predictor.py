"""A device's latencies from about twenty measurements and what other devices say.

Latency = scale · (the mixture's mean): a Gaussian process in milliseconds, in which costs add up, on the
columns of `encoder`, robust against disturbed measurements (`mixture`). Whether the reference devices are of
any use is found out with the other variances, so that they do no harm where they are not like the target.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hwnas.latency.predictors.arrays import Arrays
from hwnas.latency.predictors.base import Floats, Prediction, Predictor, check_latencies, register
from hwnas.latency.predictors.mixture import PREDICTIVE_FREEDOM, Posterior, infer, prior
from hwnas.latency.predictors.mixture_arrays import (
    posterior_arrays,
    read_inputs,
    read_posterior,
    read_targets,
)
from hwnas.latency.transfer.encoder import Encoder, Inputs
from hwnas.latency.transfer.physical import COLUMNS
from hwnas.network.network import Network

FLOOR = 0.1
"""Predictions stop at this share of the smallest latency fitted on."""


@dataclass(frozen=True)
class _Fitted:
    """What `fit` finds out; latencies are `scale_ms` times the posterior's targets, `floor_ms` at least."""

    encoder: Encoder
    measured: Inputs
    posterior: Posterior
    scale_ms: float
    floor_ms: float


@register
class TransferPredictor(Predictor):
    """See the module's description.

    Args:
        encoder: of the population that the networks are of, such as a thousand random ones of the space, and
            with the reference devices. By default that of the measured networks alone.
    """

    kind: ClassVar[str] = "transfer"
    fewest: ClassVar[int] = 5
    freedom: ClassVar[float | None] = PREDICTIVE_FREEDOM

    def __init__(self, encoder: Encoder | None = None) -> None:
        self._encoder = encoder
        self._found: _Fitted | None = None

    def fit(self, networks: Sequence[Network], latency_ms: Floats) -> None:
        """As `Predictor.fit`; raises what the references' predictors raise, too."""
        measured_ms = check_latencies(
            latency_ms, lambda i: f"network {i}", n=len(networks), fewest=self.fewest, kind=self.kind
        )
        encoder = self._encoder or Encoder.of(networks)
        measured = encoder(networks)
        scale_ms = float(np.median(measured_ms))
        grams = measured.columns.grams(measured.columns)
        posterior = infer(grams, measured_ms / scale_ms, prior(encoder.ranges))
        self._found = _Fitted(encoder, measured, posterior, scale_ms, FLOOR * float(measured_ms.min()))

    def predict(self, networks: Sequence[Network]) -> Floats:
        """As `Predictor.predict`; raises what the references' predictors raise, too."""
        found = self._fitted
        grams = found.encoder(networks).columns.grams(found.measured.columns)
        return _latency_ms(found, found.posterior.mean(grams))

    def prediction(self, networks: Sequence[Network]) -> Prediction:
        """As `Predictor.prediction`, by the predictive standard deviation, noise included."""
        found = self._fitted
        columns = found.encoder(networks).columns
        grams = columns.grams(found.measured.columns)
        latency_ms = _latency_ms(found, found.posterior.mean(grams))
        std_ms = found.scale_ms * np.sqrt(found.posterior.variance(grams, columns.own()))
        return Prediction(latency_ms, std_ms / latency_ms)

    @property
    def _fitted(self) -> _Fitted:
        if self._found is None:
            raise RuntimeError("the transfer predictor is not fitted: call fit first")
        return self._found

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The encoder, the encoded measured networks and what they tell."""
        found = self._fitted
        return {
            **found.encoder.arrays(),
            "measured_references": found.measured.references,
            "measured_physical": found.measured.physical,
            "measured_blocks": found.measured.blocks,
            **posterior_arrays(found.posterior),
            "scale_and_floor_ms": np.array([found.scale_ms, found.floor_ms]),
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> TransferPredictor:
        """As `Predictor.from_arrays`."""
        encoder = Encoder.from_arrays(arrays)
        n = len(read_targets(arrays))
        measured = Inputs(
            read_inputs(arrays, "measured_references", n, len(encoder.references)),
            read_inputs(arrays, "measured_physical", n, COLUMNS),
            read_inputs(arrays, "measured_blocks", n, len(encoder.blocks.keys)),
        )
        scale, floor = arrays.floats("scale_and_floor_ms", 2)
        arrays.require(scale > 0 and floor > 0, "scale_and_floor_ms", "positive")
        posterior = read_posterior(arrays, measured.columns.grams(measured.columns))
        made = cls(encoder)
        made._found = _Fitted(encoder, measured, posterior, float(scale), float(floor))
        return made


def _latency_ms(found: _Fitted, mean: Floats) -> Floats:
    return np.maximum(found.scale_ms * mean, found.floor_ms)
