"""Sum of the kernels that a runtime's own profile of a few networks gave, corrected by a line.

nn-Meter (Zhang et al., MobiSys 2021) sums kernels too, and predicts each by a regression on thousands of
them; here the kernels of a search space are met in a few of its networks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from hwnas.latency.kernels.lowering import kernel_ids, kernel_networks
from hwnas.latency.predictors.base import register
from hwnas.latency.predictors.parts import PartsPredictor
from hwnas.network.network import Network


@register
class KernelPredictor(PartsPredictor):
    """Latency = a + b · (sum of the latencies of the kernels that the network is executed as)."""

    kind: ClassVar[str] = "kernel"
    part: ClassVar[str] = "kernel"

    @staticmethod
    def part_ids(network: Network) -> bytes:
        """As `PartsPredictor.part_ids`."""
        return kernel_ids(network)

    @staticmethod
    def parts_of(network: Network) -> Sequence[Network]:
        """As `PartsPredictor.parts_of`."""
        return kernel_networks(network)
