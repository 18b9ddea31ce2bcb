"""A made-up device: what blocks cost adds up, plus an overhead and a little noise."""

from __future__ import annotations

from collections import Counter

import numpy as np

from hwnas.cost import count
from hwnas.latency import STANDARD, DeviceCard, Entry, LatencyTable, RuntimeCard
from hwnas.latency.devices.device import Identity
from hwnas.latency.tables.environment import Environment
from hwnas.latency.tables.table import TableMeta
from hwnas.spaces import MobileNetV2

SPACE_TEXT = "mobilenetv2:resolution=32,classes=10"
SPACE = MobileNetV2(resolution=32, classes=10)

CARD = DeviceCard("cpu", "Acme", "A1", "0123", 2, 1, None, False, 3000, 1024, "Linux")
RUNTIME = RuntimeCard("onnxruntime", "1.0", "CPUExecutionProvider", "float32", {"spinning": "0"})
IDENTITY = Identity(CARD, RUNTIME, STANDARD)
ENVIRONMENT = Environment(
    "2026-01-01T00:00:00", "2026-01-01T00:01:00", True, 0.1, 0.2, 0.3, 0.0, 3000.0, 1.01, "1.17", "none"
)


def block_ms(block):
    """What the block takes within a network."""
    counts = count(block).whole
    return 0.002 + counts.macs / 2e7 + counts.elementwise / 2e7


def network_ms(network, noise=0.0, generator=None):
    exact = 0.3 + sum(n * block_ms(block) for block, n in network.block_counts.items())
    return exact * (1 + noise * generator.standard_normal() if generator else 1)


def entry(key, kind, name, ms, **changes):
    times = {
        "min_us": 900 * ms,
        "p10_us": 1000 * ms,
        "p50_us": 1100 * ms,
        "p90_us": 1200 * ms,
        "mean_us": 1300 * ms,
    }
    return Entry(key, kind, name, 200, **times, cpu_p10_us=1000 * ms, pass_ratio=1.0, **changes)


def table_of(architectures, *, noise=0.0, scale=1.0, blocks=True):
    """A table of the architectures and their blocks; an isolated block takes 1.2 times its share."""
    generator = np.random.default_rng(0)
    rows = {}
    for architecture in architectures:
        network = architecture.network
        parts = Counter(block.key for _, block in network.blocks())
        ms = scale * network_ms(network, noise, generator)
        rows[network.key] = entry(network.key, "network", str(architecture), ms, blocks=tuple(parts.items()))
        for block in network.block_counts if blocks else ():
            rows[block.key] = entry(block.key, "block", "block", scale * 1.2 * block_ms(block))
    return LatencyTable(TableMeta(IDENTITY, {"sentinel-dense": 300.0}, ENVIRONMENT), rows)
