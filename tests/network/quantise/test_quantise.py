"""What the quantised program is made of, and what cannot be quantised."""

import numpy as np
import pytest

from hwnas.network.quantise.quantise import quantise
from hwnas.network.to_torch import to_torch

from .networks import decibels, exact, images, int8, network, weights_of

CONV = network(lambda b, x: b.batch_norm(b.conv(x, 4, kernel=3, bias=True)))


@pytest.fixture(scope="module")
def branched():
    def describe(b, x):
        y = b.relu6(b.batch_norm(b.depthwise(x, kernel=3)))
        z = b.concat(y, b.max_pool(x, kernel=3), b.average_pool(b.hard_swish(b.conv(x, 4)), kernel=3))
        return b.linear(b.relu(b.conv(z, 6, kernel=3, stride=2, bias=True)), 5)

    net = network(describe)
    return quantise(net, weights_of(net), images())


def test_all_that_is_int8_or_a_bias_has_scales_of_the_right_number(branched):
    for number, tensor in enumerate(branched.program.tensors):
        assert (number in branched.quantisations) == (tensor.scales > 0)
        if tensor.scales:
            scales = branched.quantisations[number].scales
            assert scales.dtype == np.float32 and scales.shape == (tensor.scales,) and (scales > 0).all()
        assert (number in branched.constants) == tensor.is_constant
        if tensor.is_constant:
            held = branched.constants[number]
            assert held.shape == tensor.shape and held.dtype == tensor.dtype


def test_a_bias_has_the_scale_of_the_products(branched):
    known = branched.quantisations
    for operator in branched.program.operators:
        if operator.kind in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED") and operator.inputs[2] >= 0:
            data, weight, bias = (known[number] for number in operator.inputs)
            np.testing.assert_allclose(bias.scales, data.scales[0] * weight.scales, rtol=1e-6)
            assert bias.zero_point == weight.zero_point == 0


def test_what_moves_numbers_does_not_rescale_them(branched):
    known = branched.quantisations
    moving = [
        o
        for o in branched.program.operators
        if o.kind in ("CONCATENATION", "MAX_POOL_2D", "AVERAGE_POOL_2D", "PAD", "PADV2")
    ]
    assert len(moving) >= 4
    for operator in moving:
        numbers = [n for n in (*operator.inputs, *operator.outputs) if n in known]
        assert len({(known[n].scales[0], known[n].zero_point) for n in numbers}) == 1


def test_ranges_are_those_of_the_images_after_folding_and_fusing():
    net = network(lambda b, x: b.relu6(b.batch_norm(b.conv(x, 4, kernel=3))))
    weights, x = weights_of(net), images()
    found = quantise(net, weights, x)
    y = exact(net, weights, x)
    output = found.quantisations[found.program.outputs[0]]
    assert output.zero_point == -128
    assert output.scales[0] == pytest.approx(y.max() / 255, rel=1e-5)
    source = found.quantisations[found.program.inputs[0]]
    assert source.scales[0] == pytest.approx((x.max() - x.min()) / 255, rel=1e-5)


def test_the_same_whatever_the_batches(monkeypatch):
    from hwnas.network.quantise import activations

    weights, x = weights_of(CONV), images()
    whole = quantise(CONV, weights, x)
    monkeypatch.setattr(activations, "_BATCH_BYTES", 1)
    single = quantise(CONV, weights, x)
    for number, known in whole.quantisations.items():
        np.testing.assert_allclose(single.quantisations[number].scales, known.scales, rtol=1e-6)


def test_a_torch_module_gives_the_weights():
    module = to_torch(CONV)
    state = {name: tensor.numpy() for name, tensor in module.state_dict().items() if name in CONV.parameters}
    one, other = (quantise(CONV, weights, images(8)) for weights in (module, state))
    for number, held in one.constants.items():
        np.testing.assert_array_equal(held, other.constants[number])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, "calibration data"),
        (np.zeros((0, 4, 9, 8), np.float32), "calibration data"),
        (images(shape=(2, 9, 8)), r"\[n, 4, 9, 8\] expected"),
        (images()[0], r"\[n, 4, 9, 8\] expected"),
        (np.zeros((3, 4, 9, 8), np.uint8), "uint8"),
        (np.full((3, 4, 9, 8), np.nan, np.float32), "NaN"),
    ],
)
def test_images_that_cannot_be_calibrated_with(given, message):
    with pytest.raises(ValueError, match=message):
        quantise(CONV, weights_of(CONV), given)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("conv.weight", np.full((4, 4, 3, 3), np.nan, np.float32), "'conv.weight' hold NaN"),
        ("conv.weight", np.zeros((4, 4, 1, 1), np.float32), "shape"),
        ("conv.bias", None, "no weights for parameter 'conv.bias'"),
        ("bn.running_var", np.full(4, -1, np.float32), "bn"),
        ("bn.weight", np.full(4, 3e38, np.float32), "bn"),
    ],
)
def test_weights_that_cannot_be_quantised(name, value, message):
    weights = {**weights_of(CONV), name: value}
    if value is None:
        del weights[name]
    with pytest.raises(ValueError, match=message):
        quantise(CONV, weights, images())


def test_networks_that_cannot_be_quantised():
    two = network(lambda b, x: b.add(x, b.input(4, 9, 8)))
    with pytest.raises(ValueError, match="one input"):
        quantise(two, {}, images())
    with pytest.raises(ValueError, match="computes nothing"):
        quantise(network(lambda b, x: x), {}, images())
    joined = network(lambda b, x: b.concat(b.sigmoid(x), b.conv(x, 4)))
    with pytest.raises(ValueError, match="sigmoid: LOGISTIC has the int8 range"):
        quantise(joined, weights_of(joined), images())


@pytest.mark.parametrize("value", [0.0, 2.5])
def test_constant_images(value):
    pytest.importorskip("tflite_micro", reason="the extra hwnas[mcu] is not installed")
    weights, x = weights_of(CONV), np.full((4, 4, 9, 8), value, np.float32)
    assert decibels(exact(CONV, weights, x), int8(CONV, weights, x)) > 35


def test_dead_channels_and_biases_beyond_int32():
    pytest.importorskip("tflite_micro", reason="the extra hwnas[mcu] is not installed")
    net = network(lambda b, x: b.conv(x, 4, kernel=3, bias=True))
    weights, x = weights_of(net), images()
    weights["conv.weight"][1] = 0
    weights["conv.weight"][2] = 1e-12
    weights["conv.bias"] = np.array([0, 3, -3, 1], np.float32)
    wanted, got = exact(net, weights, x), int8(net, weights, x)
    assert decibels(wanted, got) > 30
    np.testing.assert_allclose(got[..., 1:3], wanted[..., 1:3], atol=0.05)


def test_narrow_outputs_that_the_kernels_would_abort_on():
    """A sum that cancels, and a hard swish of what is mostly far below -3."""
    pytest.importorskip("tflite_micro", reason="the extra hwnas[mcu] is not installed")

    def cancelling(b, x):
        return b.layer("Sub", *(b.layer("Mul", x, b.parameter(n, (4, 1, 1))) for n in "ab"))

    net, x = network(cancelling), images()
    weights = {"a": np.full((4, 1, 1), 1e5, np.float32), "b": np.full((4, 1, 1), 1e5 + 0.008, np.float32)}
    assert np.abs(int8(net, weights, x)).max() < 0.1
    low = np.random.default_rng(0).uniform(-500, 0.1, x.shape).astype(np.float32)
    low[0], low[1] = 0.05, -1.5
    swish = network(lambda b, x: b.hard_swish(x))
    got = int8(swish, {}, low)
    assert got.min() > -0.4 and got.max() < 0.1
