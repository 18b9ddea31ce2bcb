"""Small networks, tables without a measurement, and a protocol of few rounds."""

from hwnas.latency import STANDARD, DeviceCard, Entry, LatencyTable, Protocol, RuntimeCard
from hwnas.latency.devices.device import Identity
from hwnas.latency.tables.environment import Environment
from hwnas.latency.tables.table import TableMeta
from hwnas.network import Builder, Network

FAST = Protocol(rounds=1, chunk=3, discard=1, warm_up=1, passes=2, tolerance=0.99, max_extra=0)

CARD = DeviceCard("cpu", "Acme", "A1", "0123", 2, 1, None, False, 3000, 1024, "Linux")
RUNTIME = RuntimeCard("onnxruntime", "1.0", "CPUExecutionProvider", "float32", {"spinning": "0"})
IDENTITY = Identity(CARD, RUNTIME, STANDARD)
ENVIRONMENT = Environment(
    "2026-01-01T00:00:00", "2026-01-01T00:01:00", True, 0.1, 0.2, 0.3, 0.0, 3000.0, 1.01, "1.17", "none"
)
SENTINELS = {"sentinel-dense": 300.0, "sentinel-depthwise": 70.0}


def entry(key="aaaaaaaa", kind="block", p10=100.0, **changes) -> Entry:
    times = {
        "min_us": 0.9 * p10,
        "p10_us": p10,
        "p50_us": 1.1 * p10,
        "p90_us": 1.2 * p10,
        "mean_us": 1.3 * p10,
    }
    values = {"name": key, "n": 200, **times, "cpu_p10_us": p10, "pass_ratio": 1.001, **changes}
    return Entry(key, kind, **values)


def table(*entries: Entry, identity=IDENTITY, sentinels=SENTINELS) -> LatencyTable:
    return LatencyTable(TableMeta(identity, sentinels, ENVIRONMENT), {e.key: e for e in entries})


def small_network(channels: int = 4, repeats: int = 2) -> Network:
    b = Builder()
    x = b.block("stem", conv_relu, b.input(3, 8, 8), channels=channels)
    for i in range(repeats):
        x = b.block(f"body{i}", conv_relu, x, channels=channels)
    return b.build(b.block("head", head, x))


def conv_relu(b, x, channels):
    return b.relu(b.conv(x, channels, kernel=3))


def head(b, x):
    return b.linear(b.flatten(b.global_average_pool(x)), 10)
