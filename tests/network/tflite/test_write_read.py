from dataclasses import replace

import numpy as np
import pytest
import tflite
from hypothesis import given, settings
from hypothesis import strategies as st

import hwnas
from hwnas.network.builder import Builder
from hwnas.network.program import UnsupportedOperatorError, Window, lower
from hwnas.network.quantise import Quantisation, placeholder
from hwnas.network.tflite import from_tflite, read_tflite, write_tflite
from tests.network.tflite.models import MODELS, model
from tests.network.tflite.programs import cell, chain

programs = st.builds(
    lambda make, seed, dtype: make(seed, dtype),
    st.sampled_from([chain, cell]),
    st.integers(0, 10**6),
    st.sampled_from(["int8", "float32"]),
)


def assert_equal(read, written):
    """Equal but for the names of operators, which the format does not hold."""
    assert read.program.tensors == written.program.tensors
    assert (read.program.inputs, read.program.outputs) == (written.program.inputs, written.program.outputs)
    for ours, theirs in zip(read.program.operators, written.program.operators, strict=True):
        assert replace(ours, name="") == replace(theirs, name="", layers=())
    assert read.constants.keys() == written.constants.keys()
    for number, content in written.constants.items():
        assert read.constants[number].dtype == content.dtype
        np.testing.assert_array_equal(read.constants[number], content)
    assert read.quantisations.keys() == written.quantisations.keys()
    for number, quantisation in written.quantisations.items():
        np.testing.assert_array_equal(read.quantisations[number].scales, quantisation.scales)
        assert read.quantisations[number].zero_point == quantisation.zero_point
        assert read.quantisations[number].axis == quantisation.axis


@given(programs)
@settings(max_examples=100)
def test_what_is_written_is_read(program):
    written = placeholder(program, seed=1)
    data = write_tflite(written)
    assert write_tflite(placeholder(program, seed=1)) == data
    file = read_tflite(data)
    assert file.size_bytes == len(data)
    assert_equal(file, written)


@pytest.mark.parametrize("name", MODELS)
def test_third_party_models_are_rewritten(name):
    file = read_tflite(model(name))
    again = read_tflite(write_tflite(file.quantised))
    assert again.program == file.program
    assert_equal(again, file.quantised)


@pytest.mark.parametrize("name", ["mlperf_kws_ref_model", "mlperf_pretrainedResnet_quant", "vww"])
def test_operators_have_the_versions_that_converters_give_them(name):
    original = model(name).read_bytes()
    assert versions(write_tflite(read_tflite(original).quantised)) <= versions(original)


def versions(data):
    root = tflite.Model.GetRootAs(data)
    codes = [root.OperatorCodes(index) for index in range(root.OperatorCodesLength())]
    return {(max(code.BuiltinCode(), code.DeprecatedBuiltinCode()), code.Version()) for code in codes}


def one_conv(**window):
    b = Builder()
    x = b.input(4, 9, 11)
    weight = b.parameter("w", (8, 4, 3, 5))
    y = b.layer("Conv", x, weight, b.parameter("b", (8,)), group=1, kernel_shape=(3, 5), **window)
    return lower(b.build(b.relu6(y)), fused_pad=True)


def test_the_schemas_own_reader_agrees():
    """SAME of 9×11 maps, strides 2 and 3, window 3×5: pads 1, 1 of the rows and 1, 2 of the columns."""
    program = one_conv(strides=(2, 3), pads=(1, 1, 1, 2))
    root = tflite.Model.GetRootAs(write_tflite(placeholder(program)))
    graph = root.Subgraphs(0)
    assert (root.Version(), root.SubgraphsLength(), graph.TensorsLength()) == (3, 1, len(program.tensors))
    assert tflite.Model.ModelBufferHasIdentifier(write_tflite(placeholder(program)), 0)
    operator = graph.Operators(0)
    options = tflite.Conv2DOptions()
    options.Init(operator.BuiltinOptions().Bytes, operator.BuiltinOptions().Pos)
    assert operator.BuiltinOptionsType() == tflite.BuiltinOptions.Conv2DOptions
    assert (options.Padding(), options.StrideH(), options.StrideW()) == (tflite.Padding.SAME, 2, 3)
    assert (options.DilationHFactor(), options.DilationWFactor()) == (1, 1)
    assert options.FusedActivationFunction() == tflite.ActivationFunctionType.RELU6
    weights = graph.Tensors(operator.Inputs(1))
    assert weights.ShapeAsNumpy().tolist() == [8, 3, 5, 4]
    assert (weights.Quantization().ScaleLength(), weights.Quantization().QuantizedDimension()) == (8, 0)
    assert root.Buffers(weights.Buffer()).DataLength() == 8 * 3 * 5 * 4


def test_data_is_aligned():
    data = write_tflite(placeholder(cell(3)))
    root = tflite.Model.GetRootAs(data)
    whole = np.frombuffer(data, np.uint8).__array_interface__["data"][0]
    for index in range(1, root.BuffersLength()):
        content = root.Buffers(index).DataAsNumpy()
        assert (content.__array_interface__["data"][0] - whole) % 16 == 0


def test_valid_padding():
    program = one_conv(strides=(2, 3))
    assert read_tflite(write_tflite(placeholder(program))).program.operators[0].window == Window(
        (3, 5), (2, 3)
    )


def test_padding_that_tflite_lacks_is_refused():
    with pytest.raises(
        ValueError, match=r"operator conv: padding \(1, 2, 1, 2\) .* neither .* SAME nor VALID"
    ):
        write_tflite(placeholder(one_conv(strides=(2, 3), pads=(1, 2, 1, 2))))


def test_unknown_operators_are_named():
    quantised = placeholder(chain(0))
    last = replace(quantised.program.operators[-1], kind="LSTM", name="memory")
    program = replace(quantised.program, operators=(*quantised.program.operators[:-1], last))
    with pytest.raises(UnsupportedOperatorError, match="memory: LSTM"):
        write_tflite(replace(quantised, program=program))


def weights_of(quantised):
    number = next(o.inputs[1] for o in quantised.program.operators if o.kind == "CONV_2D")
    return number, quantised.constants[number], quantised.quantisations[number]


def test_constants_must_fit_their_tensors():
    quantised = placeholder(cell(0))
    number, content, _ = weights_of(quantised)
    for wrong, message in [
        (content.astype(np.int32), "int32 of shape"),
        (content[:1], r"of shape \(1, 3, 3, 3\)"),
    ]:
        with pytest.raises(ValueError, match=message):
            write_tflite(replace(quantised, constants={**quantised.constants, number: wrong}))
    with pytest.raises(ValueError, match="content is missing"):
        write_tflite(replace(quantised, constants={}))


@pytest.mark.parametrize(
    ("scales", "axis", "message"),
    [
        ([0.1], 0, "1 quantisation scales, 8 expected"),
        ([np.nan] * 8, 0, "must be positive"),
        ([-1.0] * 8, 0, "must be positive"),
        ([1.0] * 8, 1, r"8 scales along axis 1 of shape \(8, 3, 3, 3\)"),
    ],
)
def test_quantisations_must_fit_their_tensors(scales, axis, message):
    quantised = placeholder(cell(0))
    number, _, _ = weights_of(quantised)
    wrong = Quantisation(np.array(scales, np.float32), 0, axis)
    with pytest.raises(ValueError, match=message):
        write_tflite(replace(quantised, quantisations={**quantised.quantisations, number: wrong}))


def test_an_output_that_is_given_twice_is_refused():
    b = Builder()
    x = b.relu(b.input(3, 4, 4))
    program = lower(b.build(x))
    twice = replace(program, outputs=program.outputs * 2)
    with pytest.raises(ValueError, match="output relu is given 2 times"):
        write_tflite(placeholder(twice))


@pytest.mark.parametrize("kind", (bytes, bytearray, memoryview))
def test_contents_of_any_kind_of_bytes(kind):
    b = Builder()
    content = write_tflite(placeholder(lower(b.build(b.relu(b.input(3, 4, 4))))))
    assert read_tflite(kind(content)).size_bytes == len(content)
    assert from_tflite(kind(content)).outputs[0].shape == (3, 4, 4)
    assert from_tflite(read_tflite(content)).outputs[0].shape == (3, 4, 4)


def test_another_suffix_is_refused_before_the_work(tmp_path):
    b = Builder()
    network = b.build(b.relu(b.input(3, 4, 4)))
    with pytest.raises(ValueError, match=r"net.bin must end in .tflite"):
        hwnas.to_tflite(network, tmp_path / "net.bin", weights={}, images=None)
    assert not list(tmp_path.iterdir())
