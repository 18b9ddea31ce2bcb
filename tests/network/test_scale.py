import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hwnas.cost import count
from hwnas.network import Builder, Network, Value
from hwnas.network.scale import output_layers, rounded, scale
from hwnas.network.scale_attributes import reshaped
from hwnas.network.to_torch import to_torch
from hwnas.spaces import DARTS, MobileNetV2, NASBench201


def runs(network: Network) -> tuple[int, ...]:
    module = to_torch(network).eval()
    return tuple(module(torch.zeros(2, *network.inputs[0].shape)).shape)


@given(index=st.integers(0, 15624), factor=st.sampled_from([0.25, 0.5, 1.0]))
@settings(max_examples=25, deadline=None)
def test_it_is_the_network_of_the_smaller_space(index: int, factor: float) -> None:
    digits = [index // 5**place % 5 for place in range(6)]
    large = NASBench201(channels=16, cells=2)
    small = NASBench201(channels=round(16 * factor), cells=2, resolution=round(32 * factor))
    scaled = scale(large.from_encoding(digits).network, channels=factor, resolution=factor)
    assert scaled.key == small.from_encoding(digits).network.key


def test_a_quarter_of_the_channels_is_a_sixteenth_of_the_parameters() -> None:
    network = NASBench201().sample(1, seed=1)[0].network
    before, after = (
        sum(p.size for p in n.parameters.values() if len(p.shape) == 4)
        for n in (network, scale(network, channels=0.25))
    )
    assert before / after == pytest.approx(16, rel=0.01)


@given(seed=st.integers(0, 1000), channels=st.floats(0.05, 1), resolution=st.floats(0.3, 1))
@settings(max_examples=10, deadline=None)
def test_any_mobilenet_scales_and_runs(seed: int, channels: float, resolution: float) -> None:
    space = MobileNetV2(resolution=64, classes=7, squeeze_excite=(True, False))
    network = space.sample(1, seed=seed)[0].network
    small = scale(network, channels=channels, resolution=resolution)
    side = rounded(64, resolution)
    assert small.inputs[0].shape == (3, side, side)
    assert small.parameters.keys() == network.parameters.keys()
    for layer in small.layers:
        if "depthwise" in layer.name and layer.op == "Conv":
            assert layer.attributes["group"] == layer.output.shape[0]
    assert runs(small) == (2, 7)


def test_factors_of_one_change_nothing() -> None:
    network = MobileNetV2(resolution=32, classes=10).sample(1, seed=0)[0].network
    assert scale(network).key == network.key
    assert count(scale(network)).live.params == count(network).live.params


def shuffled(b: Builder, x: Value) -> Value:
    """ShuffleNet's unit: a grouped convolution, channels shuffled, split, one half worked on."""
    x = b.conv(x, 24, kernel=3, groups=3)
    c, h, w = x.shape
    x = b.layer("Reshape", x, shape=(0, 3, c // 3, h, w))
    x = b.layer("Reshape", b.layer("Transpose", x, perm=(0, 2, 1, 3, 4)), shape=(0, c, h, w))
    left, right = b.layers("Split", x, axis=1, split=(12, 12))
    return b.concat(left, b.relu(b.conv(right, 12)))


def gated(b: Builder, x: Value) -> Value:
    """Squeeze and excitation by linear layers, with a reshape back to a map."""
    gate = b.linear(b.relu(b.linear(b.global_average_pool(x), x.shape[0] // 2)), x.shape[0])
    return b.multiply(x, b.layer("Reshape", b.sigmoid(gate), shape=(0, x.shape[0], 1, 1)))


def one_map(b: Builder, x: Value) -> Value:
    """A positional parameter, a slope and a gain for each channel, and a constant for all."""
    c, h, w = x.shape
    x = b.layer("Add", x, b.parameter("position", (c, h, w)))
    x = b.layer("PRelu", x, b.parameter("slope", (c, 1, 1)))
    x = b.layer("Mul", x, b.parameter("gain", (c, 1, 1), constant=(0.5,) * c))
    return b.layer("Resize", x, sizes=(0, c, 2 * h, 2 * w))


def classified(function: object) -> Network:
    b = Builder()
    x = b.block("stem", lambda b, x: b.conv(x, 24, kernel=3), b.input(3, 16, 16))
    x = b.block("body", function, x)
    return b.build(b.linear(b.max_pool(x, kernel=2, stride=2), 10))


@pytest.mark.parametrize("function", [shuffled, gated, one_map])
def test_what_real_networks_do_with_shapes(function: object) -> None:
    small = scale(classified(function), channels=0.5, resolution=0.5)
    assert small.values["stem.conv"].shape == (12, 8, 8)
    assert runs(small) == (2, 10)


def test_a_convolution_that_classifies_keeps_its_channels() -> None:
    b = Builder()
    x = b.relu(b.conv(b.input(3, 8, 8), 16, kernel=3))
    network = b.build(b.flatten(b.global_average_pool(b.batch_norm(b.conv(x, 10, name="classifier")))))
    assert output_layers(network) == {"classifier"}
    assert scale(network, channels=0.25).parameters["classifier.weight"].shape == (10, 4, 1, 1)


@pytest.mark.parametrize(("size", "width"), [(2, 1), (6, 2), (10, 3), (11, 3), (1, 1)])
def test_widths_are_rounded_half_up_and_at_least_1(size: int, width: int) -> None:
    assert rounded(size, 0.25) == width


def test_groups_become_a_divisor() -> None:
    b = Builder()
    x = b.conv(b.conv(b.input(3, 8, 8), 24), 36, kernel=3, groups=12, name="grouped")
    small = scale(b.build(b.linear(x, 10)), channels=0.25)
    grouped = next(layer for layer in small.layers if layer.name == "grouped")
    assert (grouped.attributes["group"], small.parameters["grouped.weight"].shape) == (3, (9, 2, 3, 3))


def multiplied(b: Builder, x: Value) -> Value:
    return b.conv(x, 2 * x.shape[0], kernel=3, groups=x.shape[0], name="multiplied")


def test_a_depthwise_convolution_keeps_its_multiplier() -> None:
    small = scale(classified(multiplied), channels=0.5)
    assert small.parameters["body.multiplied.weight"].shape == (24, 1, 3, 3)


def per_channel(b: Builder, x: Value) -> Value:
    numbers = tuple(float(n) for n in range(x.shape[0]))
    return b.layer("Mul", x, b.parameter("means", (x.shape[0], 1, 1), constant=numbers))


def cut(b: Builder, x: Value) -> Value:
    return b.layer("Slice", x, axes=(1,), starts=(0,), ends=(5,), steps=(1,))


def uneven(b: Builder, x: Value) -> Value:
    left, right = b.layers("Split", x, axis=1, split=(1, 23))
    return b.concat(right, left)


def windows(b: Builder, x: Value) -> Value:
    return b.average_pool(x, kernel=5, padding=0)


def added(b: Builder, x: Value) -> Value:
    parts = b.concat(*(b.conv(x, channels) for channels in (1, 1, 22)))
    return b.add(x, parts)


def stretched(b: Builder, x: Value) -> Value:
    """Two channels become one, two times one channel stay two."""
    return b.add(b.conv(x, 2), b.concat(b.conv(x, 1), b.conv(x, 1)))


REFUSED = [
    (stretched, "layer body.add cannot be scaled: its inputs, once of equal widths, no longer are"),
    (per_channel, "layer body.mul cannot be scaled: the constant .*means holds a number for each channel"),
    (cut, r"layer body.slice cannot be scaled: it cuts out a part of axis 1"),
    (uneven, "layer body.split cannot be scaled: 1 of 24 has no counterpart in 6"),
    (added, "layer body.add cannot be scaled: "),
    (windows, "layer body.average_pool cannot be scaled: .*a window of 5 does not fit into 4"),
]


@pytest.mark.parametrize(("function", "message"), REFUSED)
def test_what_cannot_be_scaled_is_named(function: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        scale(classified(function), channels=0.25, resolution=0.25)


@pytest.mark.parametrize("options", [{"channels": 0.0}, {"channels": 1.5}, {"resolution": -1.0}])
def test_wrong_factors_are_named(options: dict[str, float]) -> None:
    (name,) = options
    with pytest.raises(ValueError, match=f"{name} must be above 0 and at most 1, got"):
        scale(classified(gated), **options)


@pytest.mark.parametrize(
    ("before", "target", "after", "expected"),
    [
        ((8, 4, 4), (128,), (2, 4, 4), (32,)),
        ((8, 4, 4), (2, 4, 4, 4), (4, 2, 2), (2, 2, 2, 2)),
        ((2, 4, 4, 4), (8, 16), (2, 2, 3, 3), (4, 9)),
        ((8,), (8, 1, 1), (5,), (5, 1, 1)),
        ((8, 1, 1), (8,), (5, 1, 1), (5,)),
        ((1, 8), (8,), (1, 4), (4,)),
    ],
)
def test_reshapes(
    before: tuple[int, ...], target: tuple[int, ...], after: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    assert reshaped(before, target, after) == expected


def test_darts_reductions_scale_and_run() -> None:
    small = DARTS(channels=8, layers=5, resolution=32).sample(1, seed=0)[0].network
    scaled = scale(small, channels=1 / 2, resolution=1 / 2)
    assert any(layer.op == "Slice" for layer in scaled.layers)
    ends = {end for layer in scaled.layers if layer.op == "Slice" for end in layer.attributes["ends"]}
    assert ends <= {4, 8, 16}
    assert to_torch(scaled)(torch.zeros(2, 3, 16, 16)).shape == (2, 10)
