"""Every operator that is quantised, in TFLite Micro's kernels against the float network."""

import numpy as np
import pytest

from hwnas.network.program import UnsupportedOperatorError
from hwnas.network.program.lower import lower
from hwnas.network.quantise.limits import INT8_KINDS
from hwnas.network.quantise.quantise import quantise

from .networks import decibels, exact, images, int8, network, weights_of

pytest.importorskip("tflite_micro", reason="the extra hwnas[mcu] is not installed")

NETWORKS = {
    "CONV_2D": lambda b, x: b.relu6(b.batch_norm(b.conv(x, 6, kernel=3))),
    "CONV_2D bias": lambda b, x: b.batch_norm(b.conv(x, 6, kernel=3, bias=True)),
    "CONV_2D bare": lambda b, x: b.conv(x, 6, kernel=3, dilation=2),
    "CONV_2D groups": lambda b, x: b.conv(x, 8, kernel=3, groups=2, bias=True),
    "PAD": lambda b, x: b.conv(x, 6, kernel=3, stride=2),
    "PAD own": lambda b, x: b.layer("Pad", x, pads=(0, 0, 1, 2, 0, 0, 2, 1)),
    "DEPTHWISE_CONV_2D": lambda b, x: b.relu(b.batch_norm(b.depthwise(x, kernel=5))),
    "DEPTHWISE_CONV_2D two": lambda b, x: b.conv(x, 8, kernel=3, groups=4, bias=True),
    "TRANSPOSE_CONV": lambda b, x: b.parametric(
        "ConvTranspose", x, [(4, 6, 3, 3), (6,)], "up", strides=(2, 2), pads=(0,) * 4
    ),
    "FULLY_CONNECTED flattened": lambda b, x: b.linear(x, 7),
    "FULLY_CONNECTED twice": lambda b, x: b.linear(b.relu(b.linear(x, 16)), 5),
    "MUL ADD of a normalisation": lambda b, x: b.batch_norm(b.average_pool(x, kernel=3)),
    "MUL by channels": lambda b, x: b.layer("Mul", x, b.parameter("gain", (4, 1, 1))),
    "ADD of a map": lambda b, x: b.layer("Add", x, b.parameter("shift", (4, 9, 8))),
    "MUL": lambda b, x: b.multiply(x, b.sigmoid(b.conv(x, 4))),
    "ADD": lambda b, x: b.add(x, b.relu(b.conv(x, 4))),
    "ADD three": lambda b, x: b.layer("Sum", x, b.conv(x, 4), b.conv(x, 4, kernel=3)),
    "SUB": lambda b, x: b.layer("Sub", x, b.conv(x, 4)),
    "MAXIMUM": lambda b, x: b.layer("Max", x, b.conv(x, 4)),
    "MINIMUM": lambda b, x: b.layer("Min", x, b.conv(x, 4)),
    "RELU": lambda b, x: b.relu(x),
    "ABS": lambda b, x: b.layer("Abs", x),
    "RELU6": lambda b, x: b.relu6(x),
    "LOGISTIC": lambda b, x: b.sigmoid(x),
    "TANH": lambda b, x: b.layer("Tanh", x),
    "HARD_SWISH": lambda b, x: b.hard_swish(x),
    "hard sigmoid": lambda b, x: b.hard_sigmoid(x),
    "LEAKY_RELU": lambda b, x: b.layer("LeakyRelu", x, alpha=0.1),
    "ELU": lambda b, x: b.layer("Elu", x),
    "PRELU": lambda b, x: b.layer("PRelu", x, b.parameter("slope", (4, 1, 1))),
    "SOFTMAX": lambda b, x: b.layer("Softmax", b.linear(x, 5), axis=1),
    "CONCATENATION": lambda b, x: b.concat(x, b.relu(b.conv(x, 4)), b.max_pool(x, kernel=3)),
    "CONCATENATION of rows": lambda b, x: b.concat(x, b.conv(x, 4), axis=2),
    "CONCATENATION of gates": lambda b, x: b.concat(b.sigmoid(x), b.sigmoid(b.conv(x, 4))),
    "PADV2 MAX_POOL_2D": lambda b, x: b.max_pool(b.conv(x, 4), kernel=5, stride=2),
    "MAX_POOL_2D": lambda b, x: b.max_pool(x, kernel=2, stride=2),
    "AVERAGE_POOL_2D": lambda b, x: b.average_pool(x, kernel=3),
    "AVERAGE_POOL_2D global": lambda b, x: b.linear(b.global_average_pool(b.relu(x)), 4),
    "MEAN": lambda b, x: b.layer("ReduceMean", x, axes=(2, 3), keepdims=0),
    "SUM": lambda b, x: b.layer("ReduceSum", x, axes=(2, 3), keepdims=1),
    "STRIDED_SLICE": lambda b, x: b.layer("Slice", x, starts=(1,), ends=(3,), axes=(1,), steps=(1,)),
    "SPLIT": lambda b, x: b.concat(*b.layers("Split", x, axis=1, split=(2, 2))[::-1]),
    "SPLIT_V": lambda b, x: b.relu(b.layers("Split", x, axis=1, split=(1, 3))[1]),
    "TRANSPOSE": lambda b, x: b.layer("Transpose", x, perm=(0, 2, 1, 3)),
    "DEPTH_TO_SPACE": lambda b, x: b.layer("DepthToSpace", x, blocksize=2),
    "SPACE_TO_DEPTH": lambda b, x: b.layer("SpaceToDepth", b.concat(x, x, axis=2), blocksize=2),
    "RESIZE_NEAREST_NEIGHBOR": lambda b, x: b.layer(
        "Resize",
        x,
        sizes=(0, 4, 18, 16),
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    ),
    "RESIZE_BILINEAR": lambda b, x: b.layer("Resize", x, sizes=(0, 4, 18, 16), mode="linear"),
    "RESHAPE": lambda b, x: b.flatten(b.global_average_pool(x)),
    "MUL by a row": lambda b, x: b.layer("Mul", x, b.parameter("gain", (8,))),
    "ADD of a column": lambda b, x: b.layer("Add", x, b.parameter("gain", (9, 1))),
    "Dropout before a normalisation": lambda b, x: b.relu(b.batch_norm(b.layer("Dropout", b.conv(x, 6)))),
    "RESHAPE of a map": lambda b, x: b.layer("Reshape", x, shape=(0, 9, 8, x.shape[0])),
    "RESHAPE before an activation": lambda b, x: b.linear(b.relu(b.flatten(x)), 5),
    "FILL": lambda b, x: b.concat(x, b.zeros(2, 9, 8)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_int8_kernels_compute_what_the_float_network_does(name):
    net = network(NETWORKS[name])
    weights, x = weights_of(net), images()
    wanted, got = exact(net, weights, x), int8(net, weights, x)
    assert got.shape == wanted.shape
    assert decibels(wanted, got) > (20 if "global" in name or name == "RESHAPE" else 30)


def test_every_kind_is_among_them():
    programs = [lower(network(describe)) for describe in NETWORKS.values()]
    kinds = {operator.kind for program in programs for operator in program.operators}
    assert kinds >= INT8_KINDS - {"QUANTIZE"}


def test_a_float_input_is_quantised_by_the_program():
    net = network(NETWORKS["CONV_2D"])
    weights, x = weights_of(net), images()
    program = quantise(net, weights, x, float_input=True).program
    assert [operator.kind for operator in program.operators][:1] == ["QUANTIZE"]
    np.testing.assert_array_equal(int8(net, weights, x, float_input=True), int8(net, weights, x))


@pytest.mark.parametrize("op", ["Exp", "Sqrt", "Gelu", "LogSoftmax", "Div"])
def test_what_has_no_int8_kernel_is_named(op):
    def describe(b, x):
        attributes = {"axis": 1} if op == "LogSoftmax" else {}
        x = b.linear(x, 5)
        return b.layer(op, x, *([x] if op == "Div" else []), name="culprit", **attributes)

    net = network(describe)
    with pytest.raises(UnsupportedOperatorError, match="culprit"):
        quantise(net, weights_of(net), images(4))
