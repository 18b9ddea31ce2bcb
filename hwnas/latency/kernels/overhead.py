"""What a profile adds to each node: found on a model whose nodes do next to nothing."""

from __future__ import annotations

from functools import cache

import numpy as np

from hwnas.latency.devices.device import Runner
from hwnas.latency.kernels.percentiles import percentiles
from hwnas.latency.timing.protocol import Protocol
from hwnas.latency.timing.samples import p10

NODES = 48
_NAME = "profile-overhead"


def overhead_us(runner: Runner, protocol: Protocol) -> float:
    """Microseconds by which a profiled node seems longer than it is.

    A chain of `NODES` additions of 16 numbers is profiled, and timed without a profile; the difference
    of the 10th percentiles, for one node, is the overhead. Never below 0.
    """
    runs = protocol.rounds * protocol.chunk
    profile = runner.profile(_NAME, _chain(), protocol.warm_up, runs)
    runner.load(_NAME, _chain(), protocol.warm_up)
    plain = p10(runner.run(_NAME, protocol.discard, runs).wall_us) / len(profile.nodes)
    profiled = float(np.mean([percentiles(node, [10])[0] for node in profile.times_us.T]))
    return max(0.0, profiled - plain)


@cache
def _chain() -> bytes:
    """Additions of different constants, one behind the other, on (1, 16)."""
    from onnx import TensorProto, helper

    names = ["x", *(f"y{i}" for i in range(NODES))]
    constants = [
        helper.make_tensor(f"c{i}", TensorProto.FLOAT, (1, 16), [i + 1.0] * 16) for i in range(NODES)
    ]
    nodes = [
        helper.make_node("Add", [names[i], f"c{i}"], [names[i + 1]], name=f"add{i}") for i in range(NODES)
    ]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, (1, 16)) for name in (names[0], names[-1])]
    graph = helper.make_graph(nodes, "overhead", ends[:1], ends[1:], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString(deterministic=True))
