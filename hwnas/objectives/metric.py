"""A metric: a named number of an architecture, with a unit and a direction."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable


class Metric(Protocol):
    """Anything that gives an architecture a number.

    Attributes:
        name: the field's term with the unit, such as `latency_ms`, `params`, `accuracy`.
        unit: `"ms"`, `"bytes"`, `"mJ"`, `"fraction"`, or `""` for counts and scores.
        higher_is_better: direction.
        expensive: whether it takes long enough to wait until the cheap metrics have shown the
            architecture to be feasible.
    """

    @property
    def name(self) -> str:
        """As above."""

    @property
    def unit(self) -> str:
        """As above."""

    @property
    def higher_is_better(self) -> bool:
        """As above."""

    @property
    def expensive(self) -> bool:
        """As above."""

    def __call__(self, architecture: Any) -> float:
        """The value for `architecture`, in `unit`.

        Raises:
            MetricError: the value cannot be computed for this architecture.
        """
        ...


@runtime_checkable
class MultiFidelityMetric(Metric, Protocol):
    """A metric that a part of the full training gives an idea of."""

    def at_fidelity(self, fidelity: float) -> Metric:
        """The metric after that part of the training, in (0, 1).

        Raises:
            ValueError: no such part can be trained, such as less than one epoch.
        """
        ...


class MetricError(ValueError):
    """A metric is undefined for an architecture; the message says why."""
