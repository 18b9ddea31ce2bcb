"""HELP's latencies of 5,000 FBNet networks (Lee et al., NeurIPS 2021), CIFAR-100 variant."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hwnas.spaces import Architecture, FBNet

SPACE = FBNet(resolution=32, classes=100)


@dataclass(frozen=True)
class HelpLatencies:
    """Architectures, and their latencies `[architectures]` in milliseconds by device."""

    architectures: list[Architecture]
    latency_ms: dict[str, npt.NDArray[np.float64]]


def read(path: str | Path) -> HelpLatencies:
    """Read a parquet file of `ops` (22 indices of candidates) and a column for each device."""
    from pyarrow import parquet

    table = parquet.read_table(path)
    devices = [name for name in table.column_names if name not in ("index", "ops")]
    return HelpLatencies(
        [SPACE.from_encoding(ops) for ops in table["ops"].to_pylist()],
        {device: table[device].to_numpy().astype(np.float64) for device in devices},
    )
