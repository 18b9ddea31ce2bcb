"""Int8 ONNX models with the user's own calibration data."""

from collections import Counter

import numpy as np
import onnx
import onnxruntime
import pytest

from hwnas.network.quantise.qdq import quantised_onnx

from .networks import decibels, exact, images, network, weights_of

NET = network(lambda b, x: b.linear(b.relu(b.batch_norm(b.conv(x, 8, kernel=3))), 5))


def run(model, x):
    session = onnxruntime.InferenceSession(model)
    return np.concatenate([session.run(None, {"input": image[None]})[0] for image in x])


def test_weights_are_int8_and_activations_uint8():
    model = onnx.load_from_string(quantised_onnx(NET, weights_of(NET), images(16)))
    kinds = Counter(node.op_type for node in model.graph.node)
    assert kinds["QuantizeLinear"] >= 2 and kinds["BatchNormalization"] == 0
    held = {tensor.name: tensor for tensor in model.graph.initializer}
    weights = [t for t in held.values() if t.data_type == onnx.TensorProto.INT8 and len(t.dims) == 4]
    assert [tuple(tensor.dims) for tensor in weights] == [(8, 4, 3, 3)]
    activations = [
        held[node.input[2]].data_type for node in model.graph.node if node.op_type == "QuantizeLinear"
    ]
    assert set(activations) == {onnx.TensorProto.UINT8}


def test_the_ranges_are_those_of_the_images():
    weights, x = weights_of(NET), images()
    wanted = exact(NET, weights, 20 * x)
    fitting = run(quantised_onnx(NET, weights, 20 * x), 20 * x)
    narrow = run(quantised_onnx(NET, weights, x), 20 * x)
    assert decibels(wanted, fitting) > 30 > 10 > decibels(wanted, narrow)


def test_the_same_bytes_each_time():
    weights, x = weights_of(NET), images(8)
    assert quantised_onnx(NET, weights, x) == quantised_onnx(NET, weights, x)


@pytest.mark.parametrize("given", [None, images(0), images(4)[:, :2], np.full((2, 4, 9, 8), np.nan)])
def test_calibration_data_that_is_none(given):
    with pytest.raises(ValueError, match="calibration"):
        quantised_onnx(NET, weights_of(NET), given)


def test_weights_that_are_not_finite():
    with pytest.raises(ValueError, match="hold NaN"):
        quantised_onnx(NET, {**weights_of(NET), "bn.bias": np.full(8, np.inf, np.float32)}, images(4))
