import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwnas.network.quantise.scales import (
    activation_quantisation,
    bias_quantisation,
    quantise_values,
    weight_quantisation,
)

ENDS = st.floats(-1e6, 1e6)


@given(ENDS, ENDS)
def test_zero_is_exact_and_the_range_is_covered_within_a_step(one, other):
    low, high = min(one, other), max(one, other)
    found = activation_quantisation(low, high)
    scale = float(found.scales[0])
    assert scale > 0 and -128 <= found.zero_point <= 127
    lowest, highest = ((limit - found.zero_point) * scale for limit in (-128, 127))
    assert lowest <= 0 <= highest
    assert lowest <= low + 0.51 * scale and highest >= high - 0.51 * scale
    if max(high, 0) - min(low, 0) > 1e-5:
        assert highest - lowest <= (max(high, 0) - min(low, 0)) * 1.0001


@given(ENDS, ENDS, st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_what_is_inside_the_range_is_off_by_half_a_step(one, other, parts):
    low, high = min(one, other), max(one, other)
    found = activation_quantisation(low, high)
    values = low + np.array(parts) * (high - low)
    integers = quantise_values(values, found, "int8")
    real = (integers.astype(float) - found.zero_point) * float(found.scales[0])
    assert np.abs(real - values).max() <= 1.02 * float(found.scales[0])
    inside = (integers > -128) & (integers < 127)
    assert (np.abs(real - values)[inside] <= 0.501 * float(found.scales[0])).all()


def test_relu6_and_constants():
    assert activation_quantisation(0.0, 6.0).scales[0] == np.float32(6 / 255)
    assert activation_quantisation(0.0, 0.0).scales[0] == np.float32(1 / 255)
    three = activation_quantisation(3.0, 3.0)
    assert quantise_values(np.array([0.0, 3.0]), three, "int8").tolist() == [-128, 127]


@given(st.integers(0, 2**32 - 1), st.booleans(), st.sampled_from([0, 3]), st.floats(-30, 10))
def test_weights_and_biases_fit_and_are_off_by_half_a_step(seed, per_channel, axis, size):
    rng = np.random.default_rng(seed)
    weights = rng.standard_normal((3, 2, 2, 3)) * 10.0 ** rng.uniform(-8, 3, 3)
    bias = rng.standard_normal(3) * 10.0**size
    found = weight_quantisation(weights, axis, bias, 0.01, per_channel=per_channel)
    assert found.scales.shape == ((3,) if per_channel else (1,)) and (found.scales > 0).all()
    shape = [1, 1, 1, 1]
    shape[axis] = -1
    scales = found.scales.astype(float).reshape(shape)
    integers = quantise_values(weights, found, "int8")
    assert np.abs(integers.astype(int)).max() <= 127
    assert (np.abs(integers * scales - weights) <= 0.501 * scales).all()
    of_bias = bias_quantisation(found, 0.01)
    stored = quantise_values(bias, of_bias, "int32")
    assert np.abs(stored.astype(float)).max() <= 2**30 + 128
    assert (
        np.abs(stored * of_bias.scales.astype(float) - bias) <= 0.51 * of_bias.scales + 1e-6 * abs(bias)
    ).all()


@pytest.mark.parametrize("dead", [[1], [0, 1, 2]])
def test_channels_of_zeros_keep_their_bias(dead):
    weights = np.random.default_rng(0).standard_normal((3, 1, 1, 4))
    weights[dead] = 0
    bias = np.array([1.0, -2.0, 3.0])
    found = weight_quantisation(weights, 0, bias, 0.02, per_channel=True)
    of_bias = bias_quantisation(found, 0.02)
    real = quantise_values(bias, of_bias, "int32") * of_bias.scales.astype(float)
    np.testing.assert_allclose(real, bias, atol=0.02)
