"""Metrics that load something before their first value, a file of results say: no trial's time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from hwnas.objectives import Metric
from hwnas.spaces import SearchSpace


@runtime_checkable
class LoadingMetric(Metric, Protocol):
    """A metric whose first value in a process takes longer than the others."""

    def load(self, space: SearchSpace) -> None:
        """Load what the values of this space's architectures need; does nothing where that is done."""


def load_metrics(metrics: Mapping[str, Metric], space: SearchSpace) -> None:
    """Let all metrics that load something do so; raises what they raise."""
    for one in metrics.values():
        if isinstance(one, LoadingMetric):
            one.load(space)
