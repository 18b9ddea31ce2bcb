import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hwnas.network.builder import Builder
from hwnas.network.network import Network, Value
from hwnas.network.thin import CannotThinError, TooSmallError, smallest_thin, thin, without_repeats
from hwnas.network.to_torch import to_torch
from hwnas.spaces import space


def built(function: object, *, shape: tuple[int, ...] = (3, 32, 32)) -> Network:
    b = Builder()
    return b.build(function(b, b.input(*shape)))  # type: ignore[operator]


def block(b: Builder, x: Value, *, stride: int = 1) -> Value:
    return b.relu(b.batch_norm(b.conv(x, x.shape[0], kernel=3, stride=stride)))


def stack(b: Builder, x: Value) -> Value:
    x = b.conv(x, 16, kernel=3)
    for index in range(3):
        x = b.block(f"first{index}", block, x)
    x = b.block("down", block, x, stride=2)
    for index in range(2):
        x = b.block(f"second{index}", block, x)
    return b.linear(b.global_average_pool(x), 10)


def test_every_map_has_one_channel() -> None:
    network = thin(built(stack))
    assert [value.shape for value in network.inputs] == [(1, 3, 3)]
    assert [layer.output.shape for layer in network.layers if layer.op == "Conv"] == [(1, 3, 3)] * 2 + [
        (1, 2, 2)
    ] * 2
    assert network.outputs[0].shape == (1,)
    assert all(math.prod(parameter.shape[:2]) == 1 for parameter in network.parameters.values())


def test_equal_blocks_that_follow_each_other_are_kept_once() -> None:
    wide = built(stack)
    names = [item.name for item in without_repeats(wide).items]
    assert [name for name in names if name[:2] in ("fi", "do", "se")] == ["first0", "down", "second0"]
    assert thin(wide).layers[4].inputs[0] == "first0.relu"


def test_a_block_whose_result_is_read_again_is_not_repeated() -> None:
    def shortcut(b: Builder, x: Value) -> Value:
        y = b.block("one", block, x)
        return b.add(y, b.block("two", block, y))

    assert len(without_repeats(built(shortcut)).items) == 3


def test_nested_repeats_are_kept_once() -> None:
    def stage(b: Builder, x: Value) -> Value:
        for index in range(4):
            x = b.block(f"cell{index}", block, x)
        return x

    network = without_repeats(built(lambda b, x: b.relu(b.block("stage", stage, x))))
    assert [layer.name for layer in network.layers if layer.op == "Conv"] == ["stage.cell0.conv"]


def test_groups_become_one() -> None:
    network = thin(built(lambda b, x: b.depthwise(b.conv(x, 8), kernel=3)))
    assert [layer.attributes["group"] for layer in network.layers] == [1, 1]


def test_a_concatenation_has_a_channel_for_each_part() -> None:
    def cell(b: Builder, x: Value) -> Value:
        joined = b.concat(b.conv(x, 8), b.conv(x, 8), b.conv(x, 4))
        return b.conv(b.batch_norm(joined), 20, bias=True)

    network = thin(built(cell))
    shapes = [parameter.shape for parameter in network.parameters.values()]
    assert shapes == [(1, 1, 1, 1)] * 3 + [(3,)] * 4 + [(1, 3, 1, 1), (1,)]


def test_a_group_normalisation_has_one_group() -> None:
    def normed(b: Builder, x: Value) -> Value:
        gain, bias = b.parameter("gain", (8,)), b.parameter("bias", (8,))
        return b.layer("GroupNormalization", b.conv(x, 8), gain, bias, num_groups=4)

    (_, layer) = thin(built(normed)).layers
    assert (layer.attributes["num_groups"], layer.output.shape) == (1, (1, 3, 3))


def test_parameters_that_broadcast_follow_their_value() -> None:
    def scaled(b: Builder, x: Value) -> Value:
        joined = b.concat(b.conv(x, 8), b.conv(x, 8))
        sloped = b.layer("PRelu", joined, b.parameter("slopes", (16, 1, 1)))
        return b.layer("Mul", sloped, b.parameter("gain", (1, 1, 1)))

    parameters = thin(built(scaled)).parameters
    assert (parameters["slopes"].shape, parameters["gain"].shape) == ((2, 1, 1), (1, 1, 1))


def test_shared_parameters_stay_shared() -> None:
    def twice(b: Builder, x: Value) -> Value:
        weight = b.parameter("w", (3, 3, 1, 1))
        return b.layer("Conv", b.layer("Conv", x, weight), weight)

    assert [p.shape for p in thin(built(twice)).parameters.values()] == [(1, 1, 1, 1)]


def test_a_constant_takes_the_shape_of_its_neighbours() -> None:
    network = thin(built(lambda b, x: b.add(b.conv(x, 8), b.zeros(8, 32, 32))))
    assert network.outputs[0].shape == (1, 3, 3)


def test_nasbench201_takes_4x4_and_mobilenet_3x3() -> None:
    cells = space("nasbench201").sample(5, seed=0)
    assert {smallest_thin(architecture.network).inputs[0].shape for architecture in cells} == {(1, 4, 4)}
    with pytest.raises(
        TooSmallError, match=r"layer stage1\.reduction\.add: its inputs, once of equal shapes"
    ):
        thin(cells[0].network)
    mobile = space("mobilenetv2").sample(3, seed=0)
    assert {smallest_thin(architecture.network).inputs[0].shape for architecture in mobile} == {(1, 3, 3)}


@given(name=st.sampled_from(["nasbench201", "mobilenetv2"]), seed=st.integers(0, 10_000))
@settings(max_examples=10, deadline=None)
def test_thin_copies_run(name: str, seed: int) -> None:
    network = smallest_thin(space(name).sample(1, seed=seed)[0].network)
    images = torch.randn(5, *network.inputs[0].shape, generator=torch.Generator().manual_seed(seed))
    assert to_torch(network)(images).shape == (5, 1)


CANNOT = [
    (lambda b, x: b.layers("Split", b.conv(x, 8), split=(4, 4), axis=1)[0], "split: what Split does depends"),
    (lambda b, x: b.layer("Reshape", x, shape=(0, 1, 3, 32, 32)), "reshape: what Reshape does depends"),
    (lambda b, x: b.layer("Pad", x, pads=(0, 1, 0, 0, 0, 0, 0, 0)), "pad: what Pad does depends"),
    (lambda b, x: b.layer("MatMul", x, x), "matmul: what MatMul does depends"),
    (lambda b, x: b.add(b.zeros(7, 32, 32), b.zeros(7, 32, 32)), r"zeros: no single thin counterpart"),
    (
        lambda b, x: b.layer("Mul", x, b.parameter("c", (3, 1, 1), constant=(1.0, 2.0, 3.0))),
        "mul: the constant c holds a number for each channel",
    ),
]


@pytest.mark.parametrize(("function", "message"), CANNOT)
def test_what_has_no_thin_copy_is_named(function: object, message: str) -> None:
    with pytest.raises(CannotThinError, match=message):
        smallest_thin(built(function))


def test_of_a_factorised_reduction_one_convolution_is_left() -> None:
    def reduced(b, x):
        shifted = b.layer("Slice", x, axes=(2, 3), starts=(1, 1), ends=(32, 32))
        joined = b.concat(b.conv(x, 4, stride=2), b.conv(shifted, 4, stride=2))
        return b.add(joined, b.conv(x, 8, kernel=3, stride=2))

    assert smallest_thin(built(reduced)).outputs[0].shape == (1, 2, 2)


def test_a_slice_of_the_map_ends_where_the_map_ends() -> None:
    def shifted(b, x):
        return b.layer("Slice", x, axes=(2, 3), starts=(1, 1), ends=(32, 5))

    assert thin(built(shifted), side=8).outputs[0].shape == (1, 7, 4)
    assert thin(built(shifted), side=40).outputs[0].shape == (1, 39, 4)


def test_a_window_needs_a_larger_map() -> None:
    network = built(lambda b, x: b.conv(x, 8, kernel=5, padding=0))
    with pytest.raises(TooSmallError, match=r"layer conv: .* a window of 5 does not fit into 3"):
        thin(network)
    assert smallest_thin(network).inputs[0].shape == (1, 5, 5)
    with pytest.raises(TooSmallError, match="a window of 5 does not fit into 4"):
        smallest_thin(network, sides=(3, 4))


def test_inputs_that_are_no_image_are_refused() -> None:
    with pytest.raises(CannotThinError, match=r"one image .* expected as the input, not \(12,\)"):
        thin(built(lambda b, x: b.linear(x, 3), shape=(12,)))


def headed(b: Builder, x: Value) -> Value:
    x = b.block("down", block, x, stride=2)
    return b.block("head", lambda b, x: b.linear(b.global_average_pool(x), 10), x)


def test_a_block_takes_as_many_channels_as_the_one_before_gives() -> None:
    def joined(b: Builder, x: Value) -> Value:
        x = b.block("two", lambda b, x: b.concat(b.relu(x), b.conv(x, 3)), x)
        return b.block("one", block, x)

    alone = thin(built(joined), blocks=("two", "one"))
    assert to_torch(alone)(torch.zeros(2, 1, 3, 3)).shape == (2, 1, 3, 3)


def test_blocks_at_the_top_may_be_thinned_alone() -> None:
    network = built(stack)
    alone = thin(network, side=8, blocks=("first0", "down"))
    assert [layer.name for layer in alone.layers] == [
        layer.name for layer in network.layers if layer.name.startswith(("first0", "down"))
    ]
    assert (alone.inputs[0].shape, alone.outputs[0].shape) == ((1, 8, 8), (1, 4, 4))
    assert to_torch(alone)(torch.zeros(2, 1, 8, 8)).shape == (2, 1, 4, 4)
    with pytest.raises(
        ValueError, match="block: no 'third' in the network; it has first0, first1, first2, down"
    ):
        thin(network, blocks=("first0", "third"))
    with pytest.raises(CannotThinError, match=r"block down: its input, head, is no image: \(1,\)"):
        thin(built(headed), blocks=("head", "down"))
    with pytest.raises(ValueError, match="block: no 'a' in the network; it has no blocks"):
        thin(built(lambda b, x: b.relu(x)), blocks=("a",))
