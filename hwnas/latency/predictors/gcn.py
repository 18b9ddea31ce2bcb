"""Graph convolution over a network's graph, after BRP-NAS (Dudziak et al., NeurIPS 2020).

Differences from the paper: a node is a block and not an operator, described by what it asks of a device
and not only by its name; and what nodes are read out as are costs, which add up, where the paper reads a
global node. With that a hundred networks suffice instead of nine hundred.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hwnas.latency.predictors.arrays import Arrays
from hwnas.latency.predictors.base import Floats, Predictor, check_latencies, register
from hwnas.latency.predictors.gcn_model import Floats32, Training, evaluate, shapes
from hwnas.latency.predictors.graph import NODE_COLUMNS, node_descriptors
from hwnas.latency.predictors.graph_batch import graph_batch
from hwnas.latency.predictors.ridge import SMALL
from hwnas.latency.predictors.standardise import Standardised, different_columns
from hwnas.network.network import Network
from hwnas.threads import one_torch_thread

_LARGEST = 1e4
"""Standardised descriptors are cut off here: networks far from all fitted ones get large finite numbers."""


@register
class GcnPredictor(Predictor):
    """Latency = scale · (overhead + Σ costs of nodes); see `gcn_model` and `graph`.

    torch is needed for fitting only.

    Args:
        seed: of the initial weights and of which networks decide when to stop.
    """

    kind: ClassVar[str] = "gcn"
    fewest: ClassVar[int] = 15

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self.scale_ms = 0.0
        self.standardised = Standardised(np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0))
        self.weights: dict[str, Floats32] = {}

    def fit(self, networks: Sequence[Network], latency_ms: Floats) -> None:
        """As `Predictor.fit`, in one thread."""
        n = len(networks)
        measured = check_latencies(
            latency_ms, lambda i: f"network {i}", n=n, fewest=self.fewest, kind=self.kind
        )
        batch = graph_batch(networks)
        logs = np.log1p(node_descriptors(batch.kinds))
        self.standardised = Standardised.of(logs, different_columns(logs))
        scale_ms = float(np.exp(np.log(measured).mean()))
        importance = np.minimum(1, measured / (SMALL * np.median(measured)))
        training = Training(self._nodes(batch.kinds), batch, measured / scale_ms, importance, self.seed)
        with one_torch_thread():
            self.weights = training.run()
        self.scale_ms = scale_ms

    def predict(self, networks: Sequence[Network]) -> Floats:
        """As `Predictor.predict`."""
        if not self.weights:
            raise RuntimeError("the gcn predictor is not fitted: call fit first")
        batch = graph_batch(networks)
        return self.scale_ms * evaluate(self.weights, self._nodes(batch.kinds), batch)

    def _nodes(self, kinds: NDArray[np.int64]) -> Floats32:
        """Standardised logarithms of the descriptors of kinds of nodes, `[k] -> [k, columns]`."""
        found = self.standardised(np.log1p(node_descriptors(kinds)))
        return np.clip(found, -_LARGEST, _LARGEST).astype(np.float32)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The scaling of descriptors, the scale of latencies, and the weights."""
        return {
            "columns": self.standardised.columns,
            "centre": self.standardised.centre,
            "spread": self.standardised.spread,
            "scale_ms": np.array([self.scale_ms]),
            **{f"weight_{name}": value for name, value in self.weights.items()},
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> GcnPredictor:
        """As `Predictor.from_arrays`."""
        made = cls()
        made.standardised = Standardised.from_arrays(arrays, NODE_COLUMNS)
        made.scale_ms = float(arrays.floats("scale_ms", 1)[0])
        arrays.require(made.scale_ms > 0, "scale_ms", "positive")
        for name, shape in shapes(len(made.standardised.columns)).items():
            found = arrays.floats(f"weight_{name}", *shape)
            arrays.require(bool((np.abs(found) < _LARGEST).all()), f"weight_{name}", "of plausible size")
            made.weights[name] = found.astype(np.float32)
        return made
