"""SRAM and flash of a runtime as metrics of a search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from hwnas.network.program import UnsupportedOperatorError
from hwnas.objectives.metric import MetricError


class HasNetwork(Protocol):
    """Anything with a `Network`: an architecture."""

    @property
    def network(self) -> Any:
        """The network."""


@dataclass(frozen=True)
class SramMetric:
    """The SRAM that `runtime` needs for one int8 inference, its margin of safety included.

    With `most` it is quicker, and values above that many bytes may be too small (but are above it).
    """

    runtime: str
    name: str = "peak_sram_bytes"
    unit: str = "bytes"
    higher_is_better: bool = False
    expensive: bool = False
    most: int | None = None

    def __call__(self, architecture: HasNetwork) -> float:
        """Bytes; raises MetricError where the runtime lacks an operator."""
        from hwnas.cost.memory.peak import peak_sram_bytes

        try:
            return float(peak_sram_bytes(architecture.network, self.runtime, most=self.most))
        except UnsupportedOperatorError as error:
            raise MetricError(f"{self.name}: {error}") from error


@dataclass(frozen=True)
class FlashMetric:
    """The flash that an int8 network needs in the format of `runtime`, the runtime's code included."""

    runtime: str
    name: str = "flash_bytes"
    unit: str = "bytes"
    higher_is_better: bool = False
    expensive: bool = False

    def __call__(self, architecture: HasNetwork) -> float:
        """Bytes; raises MetricError where the runtime lacks an operator."""
        from hwnas.cost.flash import flash_bytes

        try:
            return float(flash_bytes(architecture.network, self.runtime))
        except UnsupportedOperatorError as error:
            raise MetricError(f"{self.name}: {error}") from error


MEMORY_METRICS = {kind.name: kind for kind in (SramMetric, FlashMetric)}
