import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwnas.network.builder import Builder
from hwnas.network.program import Operator, Program, Tensor, lower
from hwnas.network.quantise import placeholder
from hwnas.network.quantise.rules import (
    fixed_output,
    fixed_quantisations,
    shared_quantisations,
    shares_quantisation,
)
from tests.network.tflite.programs import cell, chain

int8_programs = st.builds(
    lambda make, seed: make(seed), st.sampled_from([chain, cell]), st.integers(0, 10**6)
)


@given(int8_programs)
def test_quantisations_obey_the_rules(program):
    quantised = placeholder(program)
    of = quantised.quantisations
    for operator in program.operators:
        numbers = [*operator.inputs, *operator.outputs]
        if shares_quantisation(operator):
            kinds = {(float(of[n].scales[0]), of[n].zero_point) for n in numbers if n in of}
            assert len(kinds) == 1
        fixed = fixed_output(operator.kind)
        if fixed is not None:
            assert of[operator.outputs[0]] == fixed
        if operator.kind in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED") and len(numbers) > 3:
            data, weights, bias = operator.inputs
            np.testing.assert_allclose(of[bias].scales, of[data].scales * of[weights].scales)
            assert quantised.constants[bias].dtype == np.int32


@given(int8_programs)
def test_every_constant_has_content_and_the_seed_decides_it(program):
    first, again, other = (placeholder(program, seed) for seed in (0, 0, 1))
    wanted = {number for number, tensor in enumerate(program.tensors) if tensor.is_constant}
    assert first.constants.keys() == wanted
    for number in wanted:
        tensor = program.tensors[number]
        assert first.constants[number].shape == tensor.shape
        assert first.constants[number].dtype == np.dtype(tensor.dtype)
        np.testing.assert_array_equal(first.constants[number], again.constants[number])
        if tensor.values is None and tensor.size > 30:
            assert not np.array_equal(first.constants[number], other.constants[number])


def test_stated_values_are_kept():
    b = Builder()
    network = b.build(b.hard_sigmoid(b.input(4, 4, 4)))
    quantised = placeholder(lower(network))
    stated = {
        number: tensor for number, tensor in enumerate(quantised.program.tensors) if tensor.values is not None
    }
    assert len(stated) == 2
    for number, tensor in stated.items():
        scale = quantised.quantisations[number].scales[0]
        np.testing.assert_allclose(quantised.constants[number] * scale, tensor.values, rtol=1e-6)


def test_padding_with_the_least_value_is_the_least_int8():
    b = Builder()
    program = lower(b.build(b.max_pool(b.input(4, 8, 8), kernel=3, stride=2)))
    quantised = placeholder(program)
    pad = program.operators[0]
    assert pad.kind == "PADV2" and quantised.constants[pad.inputs[2]].tolist() == [-128]


def joined(*kinds):
    """Outputs of operators of one input each, side by side."""
    tensors = [Tensor("in", (1, 2, 2, 4))] + [Tensor(kind, (1, 2, 2, 4)) for kind in kinds]
    tensors.append(Tensor("out", (1, 2, 2, 4 * len(kinds))))
    operators = [Operator(kind.lower(), kind, (0,), (n,)) for n, kind in enumerate(kinds, start=1)]
    last = len(tensors) - 1
    parts = tuple(range(1, last))
    operators.append(Operator("join", "CONCATENATION", parts, (last,), options={"axis": 3}))
    return Program(tuple(tensors), tuple(operators), (0,), (last,))


def test_a_fixed_output_fixes_what_shares_with_it():
    program = joined("LOGISTIC", "RELU")
    assert shared_quantisations(program) == {0: 0, 1: 1, 2: 1, 3: 1}
    fixed = fixed_quantisations(program)
    assert fixed.keys() == {1, 2, 3}
    assert all(q.scales.tolist() == [1 / 256] and q.zero_point == -128 for q in fixed.values())


def test_equal_fixed_outputs_may_meet():
    assert fixed_quantisations(joined("LOGISTIC", "SOFTMAX")).keys() == {1, 2, 3}


def test_different_fixed_outputs_may_not_meet():
    with pytest.raises(ValueError, match=r"logistic \(LOGISTIC\) and tanh \(TANH\) .* a QUANTIZE is needed"):
        placeholder(joined("LOGISTIC", "TANH"))


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (Tensor("odd", (1, 4), "int16"), "tensor odd is of int16"),
        (Tensor("odd", (4,), "int32", True, 0), "nothing says what it holds"),
        (Tensor("odd", (4,), "int32", True, 1), "is no bias"),
    ],
)
def test_tensors_without_a_form(tensor, message):
    program = Program((Tensor("in", (1, 4)), tensor), (), (0,), (0,))
    with pytest.raises(ValueError, match=message):
        placeholder(program)
