import sys
import threading
from dataclasses import replace

import numpy as np
import pytest
import tflite
from hypothesis import given, settings
from hypothesis import strategies as st

from hwnas.network.builder import Builder
from hwnas.network.program import Operator, lower
from hwnas.network.quantise import placeholder
from hwnas.network.tflite import Interpreter, read_tflite, write_tflite
from tests.network.tflite.models import MODELS, model
from tests.network.tflite.programs import cell, chain

pytest.importorskip("tflite_micro", reason="the extra mcu is not installed")


def sample(interpreter_input, n=1, seed=0):
    return np.random.default_rng(seed).integers(-128, 128, (n, *interpreter_input[1:]), np.int8)


@pytest.mark.parametrize("name", MODELS)
def test_third_party_models_and_what_is_made_of_them(name):
    data = model(name).read_bytes()
    file = read_tflite(data)
    ours, theirs = Interpreter(write_tflite(file.quantised)), Interpreter(data)
    _, head, tail = MODELS[name]
    assert (theirs.arena.head_bytes, theirs.arena.tail_bytes) == (head, tail)
    assert theirs.arena.total_bytes == head + tail
    assert ours.arena == theirs.arena
    x = np.random.default_rng(0).normal(size=(3, *file.program.tensors[file.program.inputs[0]].shape[1:]))
    np.testing.assert_array_equal(ours.run(x), theirs.run(x))


@given(st.sampled_from([chain, cell]), st.integers(0, 10**6))
@settings(max_examples=60)
def test_random_programs_run(make, seed):
    program = make(seed)
    interpreter = Interpreter(write_tflite(placeholder(program)))
    y = interpreter.run(sample(program.tensors[program.inputs[0]].shape, 2))
    assert y.shape == (2, 4) and y.dtype == np.int8
    total = y.astype(int).sum(axis=1) + 4 * 128
    assert (abs(total - 256) <= 4).all(), "the outputs of SOFTMAX sum up to 256/256"


@pytest.mark.parametrize("make", [chain, cell])
def test_float_programs_run(make):
    program = make(5, "float32")
    x = np.random.default_rng(0).normal(size=(2, *program.tensors[program.inputs[0]].shape[1:]))
    y = Interpreter(write_tflite(placeholder(program))).run(x)
    np.testing.assert_allclose(y.sum(axis=1), 1, rtol=1e-5)


def test_floats_are_quantised_and_outputs_dequantised():
    program = cell(2)
    quantised = placeholder(program)
    interpreter = Interpreter(write_tflite(quantised))
    x = sample((1, 8, 8, 3), 4)
    scale = quantised.quantisations[program.inputs[0]].scales[0]
    real = interpreter.run(x * scale)
    assert real.dtype == np.float32
    np.testing.assert_array_equal(real, (interpreter.run(x).astype(np.float32) + 128) / 256)


def test_a_convolution_computes_what_numpy_does():
    """A 1×1 convolution, with the rounding and the clipping of the output's scale."""
    b = Builder()
    network = b.build(b.conv(b.input(5, 3, 4), 2, bias=True))
    quantised = placeholder(lower(network), seed=3)
    [operator] = quantised.program.operators
    data, weights, bias, out = (*operator.inputs, operator.outputs[0])
    scales = {number: quantised.quantisations[number].scales for number in (data, weights, bias, out)}
    x = sample((1, 3, 4, 5), 2)
    sums = np.einsum("nhwi,oi->nhwo", x.astype(int), quantised.constants[weights][:, 0, 0].astype(int))
    real = (sums + quantised.constants[bias]) * scales[data] * scales[weights]
    expected = np.clip(np.rint(real / scales[out]), -128, 127)
    found = Interpreter(write_tflite(quantised)).run(x)
    assert np.abs(found - expected).max() <= 1
    assert (found == expected).mean() > 0.9


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((8, 8, 3), np.int8), r"\[n, 8, 8, 3\] is needed"),
        (np.zeros((1, 8, 8, 4), np.int8), r"\[n, 8, 8, 3\] is needed"),
        (np.zeros((0, 8, 8, 3), np.int8), "no samples"),
        (np.zeros((1, 8, 8, 3), np.uint8), "an input of uint8"),
        (np.full((1, 8, 8, 3), np.nan), "NaN"),
    ],
)
def test_inputs_that_do_not_fit(x, message):
    with pytest.raises(ValueError, match=message):
        Interpreter(write_tflite(placeholder(cell(2)))).run(x)


def test_an_arena_too_small_is_refused():
    data = write_tflite(placeholder(cell(2)))
    needed = Interpreter(data).arena.total_bytes
    with pytest.raises(ValueError, match=r"refuses the model: .*allocat"):
        Interpreter(data, arena_bytes=needed // 2)


def test_kinds_that_the_runtime_lacks_are_named():
    b = Builder()
    data = write_tflite(placeholder(lower(b.build(b.layer("Exp", b.input(4, 4, 4))))))
    with pytest.raises(ValueError, match="EXP"):
        Interpreter(data)


def test_nothing_is_written_to_standard_error(capfd):
    interpreter = Interpreter(write_tflite(placeholder(cell(2))))
    interpreter.run(sample((1, 8, 8, 3)))
    assert interpreter.arena.head_bytes > 0
    assert capfd.readouterr().err == ""


def test_threads_do_not_mix_their_reports():
    models = [write_tflite(placeholder(chain(seed))) for seed in range(4)]
    alone = [Interpreter(data).arena for data in models]
    found = {}

    def report(index):
        for _ in range(20):
            found.setdefault(index, set()).add(Interpreter(models[index]).arena)

    threads = [threading.Thread(target=report, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {index: {arena} for index, arena in enumerate(alone)}


def test_the_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "tflite_micro", None)
    with pytest.raises(ImportError, match=r"pip install 'hwnas\[mcu\]'"):
        Interpreter(write_tflite(placeholder(cell(2))))


def test_a_bias_left_out_in_the_middle_is_refused():
    """The depthwise kernel would read tensor -1."""
    data = bytearray(write_tflite(placeholder(lower(depthwise_network()))))
    graph = tflite.Model.GetRootAs(bytes(data)).Subgraphs(0)
    inputs = np.array([0, 1, 2], "<i4").tobytes()
    assert graph.Operators(0).InputsAsNumpy().tolist() == [0, 1, 2]
    place = data.index(inputs)
    data[place : place + 12] = np.array([0, 1, -1], "<i4").tobytes()
    with pytest.raises(ValueError, match="leaves out an input by number -1"):
        Interpreter(bytes(data))


def test_no_bias_at_all_is_fine():
    b = Builder()
    network = b.build(b.depthwise(b.input(4, 6, 6), kernel=3))
    data = write_tflite(placeholder(lower(network)))
    assert read_tflite(data).program.operators[0].inputs == (0, 1)
    assert Interpreter(data).run(np.ones((1, 6, 6, 4))).shape == (1, 6, 6, 4)


def depthwise_network():
    b = Builder()
    return b.build(b.batch_norm(b.depthwise(b.input(4, 6, 6), kernel=3)))


def with_scale(quantised, number, scale):
    changed = replace(quantised.quantisations[number], scales=np.array([scale], np.float32))
    return replace(quantised, quantisations={**quantised.quantisations, number: changed})


def test_what_would_stop_the_process_is_refused_first():
    """Each of these makes the runtime abort or read outside its tensors."""
    b = Builder()
    x = b.input(4, 4, 4)
    quantised = placeholder(lower(b.build(b.layer("Softmax", b.add(x, x), axis=1))))
    added, result = (operator.outputs[0] for operator in quantised.program.operators)
    with pytest.raises(ValueError, match="adds numbers of scales"):
        Interpreter(write_tflite(with_scale(quantised, added, 1e-12)))
    with pytest.raises(ValueError, match="times the scale of its input is too small"):
        Interpreter(write_tflite(with_scale(with_scale(quantised, added, 1e-9), 0, 1e-9)))
    tensors = list(quantised.program.tensors)
    tensors[result] = replace(tensors[result], scales=0)
    quantisations = {n: q for n, q in quantised.quantisations.items() if n != result}
    program = replace(quantised.program, tensors=tuple(tensors))
    with pytest.raises(ValueError, match="has no quantisation scale"):
        Interpreter(write_tflite(replace(quantised, program=program, quantisations=quantisations)))


def test_mixed_dtypes_are_refused():
    program = chain(0)
    tensors = list(program.tensors)
    out = program.outputs[0]
    tensors[out] = replace(tensors[out], dtype="float32", scales=0)
    data = write_tflite(placeholder(replace(program, tensors=tuple(tensors))))
    with pytest.raises(ValueError, match="mixes float32, int8"):
        Interpreter(data)


def test_several_inputs_are_no_sample():
    b = Builder()
    network = b.build(b.add(b.input(2, 4, 4), b.input(2, 4, 4)))
    with pytest.raises(ValueError, match="has 2 inputs"):
        Interpreter(write_tflite(placeholder(lower(network)))).run(np.zeros((1, 4, 4, 2)))


def test_weights_of_other_channels_are_refused():
    """The kernel would read beyond them."""
    quantised = placeholder(cell(2))
    first: Operator = quantised.program.operators[0]
    number = first.inputs[1]
    tensors = list(quantised.program.tensors)
    tensors[number] = replace(tensors[number], shape=(8, 3, 3, 2))
    constants = {**quantised.constants, number: np.ascontiguousarray(quantised.constants[number][..., :2])}
    program = replace(quantised.program, tensors=tuple(tensors))
    with pytest.raises(ValueError, match=r"CONV_2D_0: .* for 3 channels"):
        Interpreter(write_tflite(replace(quantised, program=program, constants=constants)))
