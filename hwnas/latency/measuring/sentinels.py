"""Two small fixed models that run in every round of every measurement.

Their latencies tell a changed clock or host from a changed model, and rescale tables of different
days to each other. One is bound by arithmetic (3x3 convolutions), one by memory (depthwise
convolutions and an addition). Changing them changes the meaning of every table: do not.
"""

from __future__ import annotations

from functools import cache

import numpy as np

NAMES = ("sentinel-dense", "sentinel-depthwise")


@cache
def sentinels() -> dict[str, bytes]:
    """Name -> ONNX model (opset 17), about 0.3 ms each on a server core."""
    return {
        NAMES[0]: _chain(channels=32, size=28, groups=1, layers=2),
        NAMES[1]: _chain(channels=32, size=32, groups=32, layers=6),
    }


def _chain(*, channels: int, size: int, groups: int, layers: int) -> bytes:
    """``layers`` times 3x3 convolution and ReLU on (1, channels, size, size), plus the input."""
    from onnx import TensorProto, helper, numpy_helper

    shape = (channels, channels // groups, 3, 3)
    count = int(np.prod(shape))
    weight = (np.sin(np.arange(count)) / np.sqrt(9 * channels // groups)).reshape(shape).astype(np.float32)
    nodes, last = [], "x"
    for i in range(layers):
        nodes.append(helper.make_node("Conv", [last, "w"], [f"c{i}"], group=groups, pads=[1] * 4))
        nodes.append(helper.make_node("Relu", [f"c{i}"], [f"r{i}"]))
        last = f"r{i}"
    nodes.append(helper.make_node("Add", [last, "x"], ["y"]))
    tensors = [helper.make_tensor_value_info(n, TensorProto.FLOAT, (1, channels, size, size)) for n in "xy"]
    graph = helper.make_graph(
        nodes, "sentinel", tensors[:1], tensors[1:], [numpy_helper.from_array(weight, "w")]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString(deterministic=True))
