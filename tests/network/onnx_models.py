"""Small ONNX models by hand, for the reader."""

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Dim = int | str | None


def info(name: str, shape: Sequence[Dim], kind: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def stored(name: str, array: object, kind: type = np.float32) -> onnx.TensorProto:
    return numpy_helper.from_array(np.asarray(array, dtype=kind), name)


def integers(name: str, *values: int) -> onnx.TensorProto:
    return stored(name, values, np.int64)


def model(
    nodes: Sequence[onnx.NodeProto],
    inputs: Sequence[onnx.ValueInfoProto] = (info("x", [1, 4, 6, 6]),),
    outputs: Sequence[str] = ("y",),
    tensors: Sequence[onnx.TensorProto] = (),
    opset: int = 17,
    stated: Sequence[onnx.ValueInfoProto] = (),
) -> onnx.ModelProto:
    ends = [info(name, None) for name in outputs]
    graph = helper.make_graph(nodes, "g", inputs, ends, tensors, value_info=stated)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


node = helper.make_node
