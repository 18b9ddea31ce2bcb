"""Metrics that do something once before a search, on which all their values rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Protocol, runtime_checkable

from hwnas.objectives import Metric
from hwnas.spaces import SearchSpace


@runtime_checkable
class PreparedMetric(Metric, Protocol):
    """A metric that is not ready as it is made: one that trains a supernet, or ranks within a population."""

    def prepared(
        self, space: SearchSpace, folder: Path, say: Callable[[str], None], executor: Executor | None
    ) -> Metric:
        """The metric that is ready; it keeps what it needs in the run's folder, and finds it there again.

        Args:
            space: of the search.
            folder: of the run.
            say: is told what takes long.
            executor: for work that can be divided; in this process where None.

        Raises:
            ValueError: it cannot be made ready for this space.
        """


def prepared(
    metrics: Mapping[str, Metric],
    space: SearchSpace,
    folder: Path,
    say: Callable[[str], None],
    executor: Executor | None = None,
) -> dict[str, Metric]:
    """All metrics, those made ready that need it; raises ValueError as they do."""
    return {
        name: one.prepared(space, folder, say, executor) if isinstance(one, PreparedMetric) else one
        for name, one in metrics.items()
    }
