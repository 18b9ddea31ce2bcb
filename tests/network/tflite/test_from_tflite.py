from dataclasses import replace

import numpy as np
import pytest
import tflite

from hwnas.cost import count
from hwnas.network.builder import Builder
from hwnas.network.program import Operator, Program, Tensor, UnsupportedOperatorError, lower
from hwnas.network.quantise import QuantisedProgram, placeholder
from hwnas.network.tflite import from_tflite, write_tflite
from tests.network.tflite.models import MODELS, model
from tests.network.tflite.odd_files import relu_file


@pytest.mark.parametrize("name", MODELS)
def test_macs_of_third_party_models(name):
    network = from_tflite(model(name))
    counts = count(network)
    assert counts.whole.macs == counts.live.macs == MODELS[name][0]


def test_params_of_resnet8():
    """Warden et al., MLPerf Tiny: 77,706 after folding the normalisations, by the file's own constants."""
    network = from_tflite(model("mlperf_pretrainedResnet_quant"))
    assert count(network).whole.params == 77_706
    assert [value.shape for value in (*network.inputs, *network.outputs)] == [(3, 32, 32), (10,)]


def back(network, **options):
    return from_tflite(write_tflite(placeholder(lower(network, **options))))


def many_kinds():
    """A network with a layer of almost every kind."""
    b = Builder()
    x = b.input(3, 16, 16)
    x = b.relu6(b.conv(x, 8, kernel=3, stride=2, bias=True))
    s = b.relu(b.conv(b.global_average_pool(x), 4, bias=True))
    y = b.multiply(b.hard_swish(x), b.sigmoid(b.conv(s, 8, bias=True)))
    y = b.add(y, b.zeros(8, 8, 8))
    z = b.concat(b.add(x, y), b.max_pool(x, kernel=3), b.average_pool(x, kernel=3))
    left, right = b.layers("Split", z, axis=1, split=(12, 12))
    z = b.layer("Min", b.layer("Max", left, right), b.layer("LeakyRelu", left, alpha=0.125))
    z = b.layer("Resize", z, sizes=(0, 12, 16, 16), mode="linear")
    z = b.layer("Resize", b.max_pool(z, kernel=3, stride=2), sizes=(0, 12, 16, 16), mode="nearest")
    z = b.layer("Slice", z, starts=(0, 1), ends=(12, 15), axes=(1, 2), steps=(1, 2))
    z = b.layer("Pad", z, pads=(0, 0, 1, 1, 0, 0, 1, 1))
    z = b.layer("Transpose", b.layer("Tanh", z), perm=(0, 1, 3, 2))
    z = b.layer("DepthToSpace", b.layer("Elu", z), blocksize=2)
    z = b.conv(b.layer("SpaceToDepth", z, blocksize=3), 6, kernel=3, groups=3, bias=True)
    z = b.layer("PRelu", z, b.parameter("slope", (6, 1, 1)))
    z = b.parametric("ConvTranspose", z, [(6, 4, 2, 2), (4,)], "up", strides=(2, 2))
    features = b.linear(z, 5)
    pooled = b.layer("ReduceMean", z, axes=(2, 3), keepdims=0)
    return b.build(b.layer("Softmax", features, axis=1), b.layer("ReduceSum", z, axes=(2, 3)), pooled)


@pytest.mark.parametrize("dtype", ["int8", "float32"])
def test_a_network_comes_back_with_its_shapes_and_counts(dtype):
    network = many_kinds()
    read = back(network, dtype=dtype)
    assert [value.shape for value in read.outputs] == [value.shape for value in network.outputs]
    ours, theirs = count(read).whole, count(network).whole
    assert (ours.macs, ours.params, ours.activations) == (theirs.macs, theirs.params, theirs.activations)
    assert ours.macs_by_operator == theirs.macs_by_operator


def test_conversions_vanish_and_fused_activations_are_layers():
    b = Builder()
    x = b.input(3, 8, 8)
    network = b.build(b.relu6(b.batch_norm(b.conv(x, 4, kernel=3))))
    read = back(network, float_input=True)
    assert [layer.op for layer in read.layers] == ["Conv", "Clip"]
    assert read.layers[1].attributes == {"min": 0.0, "max": 6.0}
    assert read.layers[0].attributes["pads"] == (1, 1, 1, 1)


def moved(kind, shape, out, values):
    """A program of one operator whose second input holds `values`."""
    tensors = (
        Tensor("in", shape),
        Tensor("index", (len(values),), "int32", True, 0, values),
        Tensor("out", out),
    )
    options = {"keep_dims": False} if kind == "MEAN" else {}
    return Program(tensors, (Operator("o", kind, (0, 1), (2,), options=options),), (0,), (2,))


def sliced(source, a):
    index = [slice(None)] * source.ndim
    for axis, start, end, step in zip(a["axes"], a["starts"], a["ends"], a["steps"], strict=True):
        index[axis] = slice(start, end if end >= -source.shape[axis] else None, step)
    return source[tuple(index)]


def executed(network, x):
    """The output of a network of movements and means on one sample, by numpy."""
    values = {network.inputs[0].name: x}
    for layer in network.layers:
        source, a = values[layer.inputs[0]][None], layer.attributes
        result = {
            "Transpose": lambda s, a: s.transpose(a["perm"]),
            "Reshape": lambda s, a: s.reshape(1, *a["shape"][1:]),
            "Flatten": lambda s, a: s.reshape(1, -1),
            "ReduceMean": lambda s, a: s.mean(a["axes"], keepdims=bool(a["keepdims"])),
            "GlobalAveragePool": lambda s, a: s.mean((2, 3), keepdims=True),
            "Squeeze": lambda s, a: s.squeeze(a["axes"]),
            "Slice": sliced,
        }[layer.op](source, a)
        values[layer.output.name] = result[0]
    return values[network.outputs[0].name]


def as_network(array):
    """TFLite's array without the batch, maps with the channels first."""
    return array[0].transpose(2, 0, 1) if array.ndim == 4 else array[0]


@pytest.mark.parametrize(
    ("kind", "values", "compute"),
    [
        ("TRANSPOSE", (0, 2, 3, 1), lambda x: x.transpose(0, 2, 3, 1)),
        ("TRANSPOSE", (0, 3, 1, 2), lambda x: x.transpose(0, 3, 1, 2)),
        ("RESHAPE", (1, 24), lambda x: x.reshape(1, 24)),
        ("RESHAPE", (1, 4, 6), lambda x: x.reshape(1, 4, 6)),
        ("RESHAPE", (1, 4, 3, 2), lambda x: x.reshape(1, 4, 3, 2)),
        ("RESHAPE", (1, 1, 1, 24), lambda x: x.reshape(1, 1, 1, 24)),
        ("MEAN", (1, 2), lambda x: x.mean((1, 2))),
        ("MEAN", (1,), lambda x: x.mean(1)),
        ("MEAN", (2,), lambda x: x.mean(2)),
        ("MEAN", (3,), lambda x: x.mean(3)),
    ],
)
def test_movements_compute_what_the_file_says(kind, values, compute):
    x = np.random.default_rng(0).normal(size=(1, 2, 3, 4))
    program = moved(kind, x.shape, compute(x).shape, values)
    network = from_tflite(write_tflite(placeholder(program)))
    np.testing.assert_allclose(executed(network, as_network(x)), as_network(compute(x)))


@pytest.mark.parametrize(
    ("bounds", "masks", "index"),
    [
        (((0, 0, 1, 0), (1, 2, 3, 4), (1, 1, 1, 2)), {}, np.s_[:, 0:2, 1:3, 0:4:2]),
        (((0, 0, 9, 1), (0, -1, 9, 0), (1, 1, 1, 1)), {"begin": 4, "end": 13}, np.s_[:, :-1, :, 1:]),
        (((0, 0, 2, 0), (1, 2, 0, 4), (1, 1, 1, 1)), {"shrink_axis": 4}, np.s_[:, :, 2, :]),
        (((0, 0, 0, -1), (1, 2, 3, 0), (1, 1, 1, 1)), {"shrink_axis": 8}, np.s_[:, :, :, -1]),
        (((0, 1, 0, 0), (1, 0, 3, 4), (1, 1, 1, 1)), {"shrink_axis": 2}, np.s_[:, 1]),
        (((0, 1, 2, 0), (1, -9, 0, 4), (1, -1, -2, 1)), {"end": 4}, np.s_[:, ::-1, ::-2]),
    ],
)
def test_slices_take_what_the_file_says(bounds, masks, index):
    x = np.random.default_rng(0).normal(size=(1, 3, 3, 4))[:, :2]
    expected = x[index]
    tensors = [Tensor("in", x.shape), *(Tensor("i", (4,), "int32", True, 0, values) for values in bounds)]
    names = ("begin", "end", "ellipsis", "new_axis", "shrink_axis")
    options = {f"{name}_mask": masks.get(name, 0) for name in names}
    operator = Operator("o", "STRIDED_SLICE", (0, 1, 2, 3), (4,), options=options)
    program = Program((*tensors, Tensor("out", expected.shape)), (operator,), (0,), (4,))
    network = from_tflite(write_tflite(placeholder(program)))
    np.testing.assert_array_equal(executed(network, as_network(x)), as_network(expected))


def test_a_fully_connected_operator_of_rows():
    tensors = (
        Tensor("in", (1, 5, 4)),
        Tensor("w", (3, 4), "int8", True),
        Tensor("b", (3,), "int32", True),
        Tensor("out", (1, 5, 3)),
    )
    operator = Operator("fc", "FULLY_CONNECTED", (0, 1, 2), (3,), options={"keep_num_dims": True})
    network = from_tflite(write_tflite(placeholder(Program(tensors, (operator,), (0,), (3,)))))
    assert network.outputs[0].shape == (5, 3)
    counts = count(network).whole
    assert (counts.macs, counts.params) == (5 * 4 * 3, 4 * 3 + 3)


@pytest.mark.parametrize("shape", [(4,), (1,), (), (1, 1, 1, 4), (2, 3, 1), (1, 4)])
@pytest.mark.parametrize("is_constant", [True, False])
def test_operands_of_fewer_axes(shape, is_constant):
    other = Tensor("other", shape, "int8", is_constant)
    tensors = (Tensor("in", (1, 2, 3, 4)), other, Tensor("out", (1, 2, 3, 4)))
    operator = Operator("add", "ADD", (0, 1), (2,))
    program = Program(tensors, (operator,), (0,) if is_constant else (0, 1), (2,))
    data = write_tflite(placeholder(program))
    if is_constant or shape[:1] == (1,):
        network = from_tflite(data)
        assert network.outputs[0].shape == (4, 2, 3)
        assert count(network).whole.params == (np.prod(shape) if is_constant else 0)
    else:
        with pytest.raises(ValueError, match="a batch of 1 must come first"):
            from_tflite(data)


def test_operators_without_a_form_are_named():
    with pytest.raises(UnsupportedOperatorError, match="COS_0: COS has no form"):
        from_tflite(relu_file(code=tflite.BuiltinOperator.COS))


def test_a_batch_of_two_is_refused():
    with pytest.raises(ValueError, match="a batch of 1 must come first"):
        from_tflite(relu_file(shape=(2, 4)))


def test_weights_that_are_computed_are_refused():
    b = Builder()
    program = lower(b.build(b.conv(b.input(3, 4, 4), 1)), dtype="float32")
    [operator] = program.operators
    tensors = list(program.tensors)
    tensors[operator.inputs[1]] = replace(tensors[operator.inputs[1]], is_constant=False)
    program = replace(program, tensors=tuple(tensors), inputs=operator.inputs[:2])
    with pytest.raises(ValueError, match="CONV_2D_0: weights that are computed"):
        from_tflite(write_tflite(QuantisedProgram(program, {}, {})))
