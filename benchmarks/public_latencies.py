"""Latencies of NAS-Bench-201 and FBNet by device, as HELP (Lee et al., NeurIPS 2021) collected them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hwnas.network import Network
from hwnas.spaces import Architecture, FBNet, NASBench201

DATA = Path(os.environ.get("HWNAS_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))


@dataclass(frozen=True)
class PublicLatencies:
    """Architectures, and their latencies `[architectures]` in milliseconds by device."""

    name: str
    architectures: list[Architecture]
    latency_ms: dict[str, npt.NDArray[np.float64]]

    @cached_property
    def networks(self) -> list[Network]:
        """The architectures' networks, in order."""
        return [architecture.network for architecture in self.architectures]


def nasbench201(folder: Path = DATA) -> PublicLatencies:
    """All 15,625 cells in the benchmark's order (CIFAR-10)."""
    table = _read(folder / "nasbench201" / "latency_ms.parquet")
    space = NASBench201()
    architectures = [space.parse(text) for text in table.pop("arch")]
    return PublicLatencies("NAS-Bench-201", architectures, _latencies(table))


def fbnet(folder: Path = DATA) -> PublicLatencies:
    """5,000 networks of FBNet's space, CIFAR-100 variant."""
    table = _read(folder / "fbnet" / "latency_ms.parquet")
    space = FBNet(resolution=32, classes=100)
    architectures = [space.from_encoding(operations) for operations in table.pop("ops")]
    return PublicLatencies("FBNet", architectures, _latencies(table))


def _read(path: Path) -> dict[str, list[object]]:
    from pyarrow import parquet

    return {name: values for name, values in parquet.read_table(path).to_pydict().items() if name != "index"}


def _latencies(table: dict[str, list[object]]) -> dict[str, npt.NDArray[np.float64]]:
    return {device: np.array(values, dtype=np.float64) for device, values in table.items()}
