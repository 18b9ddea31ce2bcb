"""A predicted latency as a metric that a selection can limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray

from hwnas.network.network import Network
from hwnas.spaces import Architecture


class LatencyPredictor(Protocol):
    """What predicts latencies, such as `hwnas.latency.instructions.predictor.board_predictor`."""

    def predict(self, networks: Sequence[Network]) -> NDArray[Any]:
        """`[n]`, in ms."""
        ...


@dataclass(frozen=True)
class LatencyMetric:
    """The latency that `predictor` predicts; asked of networks alone that keep to the other limits."""

    predictor: LatencyPredictor
    name: str = "latency_ms"
    unit: str = "ms"
    higher_is_better: bool = False
    expensive: bool = True

    def __call__(self, architecture: Architecture) -> float:
        """Milliseconds."""
        return float(self.predictor.predict([architecture.network])[0])
