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
from hwnas.latency.predictors.base import Floats, Predictor, check_latencies, register
from hwnas.latency.transfer.encoder import Encoder, Inputs
from hwnas.latency.transfer.mixture import PREDICTIVE_FREEDOM, Posterior, Variances, again, infer, prior
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
        posterior = infer(measured.grams(measured), measured_ms / scale_ms, prior(encoder.ranges))
        self._found = _Fitted(encoder, measured, posterior, scale_ms, FLOOR * float(measured_ms.min()))

    def predict(self, networks: Sequence[Network]) -> Floats:
        """As `Predictor.predict`; raises what the references' predictors raise, too."""
        found = self._fitted
        return _latency_ms(found, found.posterior.mean(found.encoder(networks).grams(found.measured)))

    def relative_std(self, networks: Sequence[Network]) -> Floats:
        """The predictive standard deviation, noise included, over the prediction."""
        found = self._fitted
        inputs = found.encoder(networks)
        grams = inputs.grams(found.measured)
        std_ms = found.scale_ms * np.sqrt(found.posterior.variance(grams, inputs.own()))
        return np.asarray(std_ms / _latency_ms(found, found.posterior.mean(grams)))

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
            "targets": found.posterior.targets,
            "precisions": found.posterior.precisions,
            "kernel_variances": found.posterior.variances.kernels,
            "noise_variances": found.posterior.variances.noise,
            "weights": found.posterior.weights,
            "scale_and_floor_ms": np.array([found.scale_ms, found.floor_ms]),
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> TransferPredictor:
        """As `Predictor.from_arrays`."""
        encoder = Encoder.from_arrays(arrays)
        targets = arrays.floats("targets", None)
        n = len(targets)
        measured = Inputs(
            arrays.floats("measured_references", n, len(encoder.references)),
            arrays.floats("measured_physical", n, COLUMNS),
            arrays.floats("measured_blocks", n, len(encoder.blocks.keys)),
        )
        scale, floor = arrays.floats("scale_and_floor_ms", 2)
        arrays.require(scale > 0 and floor > 0, "scale_and_floor_ms", "positive")
        posterior = _posterior(arrays, measured, targets, len(encoder.ranges))
        made = cls(encoder)
        made._found = _Fitted(encoder, measured, posterior, float(scale), float(floor))
        return made


def _latency_ms(found: _Fitted, mean: Floats) -> Floats:
    return np.maximum(found.scale_ms * mean, found.floor_ms)


def _posterior(arrays: Arrays, measured: Inputs, targets: Floats, kernels: int) -> Posterior:
    weights = arrays.floats("weights", None)
    precisions = arrays.floats("precisions", len(targets))
    points = Variances(
        arrays.floats("kernel_variances", len(weights), kernels),
        arrays.floats("noise_variances", len(weights)),
    )
    arrays.require(len(targets) > 0 and bool((targets > 0).all()), "targets", "positive")
    arrays.require(bool((precisions > 0).all()), "precisions", "positive")
    arrays.require(len(weights) > 0 and bool((weights >= 0).all()), "weights", "shares of 1")
    arrays.require(abs(float(weights.sum()) - 1) < 1e-6, "weights", "shares of 1")
    for name, values in (("kernel_variances", points.kernels), ("noise_variances", points.noise)):
        arrays.require(bool((values > 0).all()), name, "positive")
    try:
        return again(measured.grams(measured), targets, precisions, points, weights)
    except np.linalg.LinAlgError:
        raise ValueError(f"{arrays.where}: the covariances cannot be inverted") from None
