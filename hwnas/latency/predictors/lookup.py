"""Sum of the measured blocks, corrected by a line that measured whole networks give.

Summed tables: FBNet (Wu et al., CVPR 2019, section 3.2), ProxylessNAS (Cai et al., ICLR 2019, section 3.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from hwnas.latency.block_ids import block_ids
from hwnas.latency.predictors.base import register
from hwnas.latency.predictors.parts import PartsPredictor
from hwnas.network.network import Network


@register
class LookupPredictor(PartsPredictor):
    """Latency = a + b · (sum of the latencies of the network's blocks)."""

    kind: ClassVar[str] = "lookup"
    part: ClassVar[str] = "block"

    @staticmethod
    def part_ids(network: Network) -> bytes:
        """As `PartsPredictor.part_ids`."""
        return block_ids(network)

    @staticmethod
    def parts_of(network: Network) -> Sequence[Network]:
        """As `PartsPredictor.parts_of`."""
        return list(network.block_counts)
