from collections.abc import Callable

import pytest
from hypothesis import assume, given, settings

from hwnas.network import Builder, Network, Value
from hwnas.network.collapse import Collapsed, NotCollapsibleError, Step, collapse
from hwnas.spaces import MobileNetV2, NASBench201

from .random_networks import networks


def described(function: Callable[[Builder, Value], Value], *shape: int) -> Network:
    b = Builder()
    return b.build(function(b, b.input(*(shape or (3, 8, 8)))))


def collapsed(function: Callable[[Builder, Value], Value], *shape: int) -> Collapsed:
    return collapse(described(function, *shape), training=True)


def refusal(function: Callable[[Builder, Value], Value], *, training: bool = True) -> str:
    with pytest.raises(NotCollapsibleError) as caught:
        collapse(described(function), training=training)
    return str(caught.value)


def step(found: Collapsed, op: str, index: int = 0) -> Step:
    return [one for one in found.steps if one.layer.op == op][index]


def counts(found: Collapsed, op: str = "Conv", index: int = 0) -> list[list[int]] | None:
    table = step(found, op, index).counts
    return None if table is None else table.tolist()


def shuffled(b: Builder, x: Value, groups: int) -> Value:
    channels, *rest = x.shape
    y = b.layer("Reshape", x, shape=(0, groups, channels // groups, *rest))
    y = b.layer("Transpose", y, perm=(0, 2, 1, *range(3, 3 + len(rest))))
    return b.layer("Reshape", y, shape=(0, channels, *rest))


def test_all_channels_of_a_convolution_are_equal() -> None:
    found = collapsed(lambda b, x: b.conv(b.relu(b.batch_norm(b.conv(x, 16, kernel=3))), 5))
    assert counts(found) == [[1, 1, 1]]
    assert counts(found, index=1) == [[16]]
    assert found.labels.tolist() == [0] * 5


def test_a_depthwise_convolution_keeps_what_is_distinct() -> None:
    found = collapsed(lambda b, x: b.depthwise(x, kernel=3))
    assert counts(found) is None
    assert found.labels.tolist() == [0, 1, 2]


def test_a_channel_multiplier_repeats_each_channel() -> None:
    found = collapsed(lambda b, x: b.conv(x, 6, groups=3))
    assert found.labels.tolist() == [0, 0, 1, 1, 2, 2]


def test_a_concatenation_keeps_multiplicities() -> None:
    def dense(b: Builder, x: Value) -> Value:
        first = b.conv(x, 5)
        second = b.relu(b.conv(x, 7, kernel=3))
        return b.conv(b.concat(first, second, first), 4)

    found = collapsed(dense)
    assert counts(found, index=2) == [[10, 7]]
    assert len(step(found, "Concat").operands) == 2


def test_a_grouped_convolution_sums_by_group() -> None:
    def grouped(b: Builder, x: Value) -> Value:
        pair = b.concat(b.conv(x, 4), b.relu(b.conv(x, 4)))
        return b.conv(pair, 8, groups=4)

    found = collapsed(grouped)
    assert counts(found, index=2) == [[0, 2], [2, 0]]
    assert found.labels.tolist() == [1, 1, 1, 1, 0, 0, 0, 0]


def test_a_channel_shuffle_moves_labels_and_computes_nothing() -> None:
    def mixed(b: Builder, x: Value) -> Value:
        return shuffled(b, b.concat(b.conv(x, 2), b.relu(b.conv(x, 2))), 2)

    found = collapsed(mixed)
    assert found.labels.tolist() == [0, 1, 0, 1]
    assert {one.layer.op for one in found.steps} == {"Conv", "Relu", "Concat"}


def test_split_and_slice_part_labels() -> None:
    split = collapsed(lambda b, x: b.layers("Split", x, axis=1, split=(1, 2))[1])
    assert (split.labels.tolist(), split.steps) == ([1, 2], ())
    backwards = collapsed(lambda b, x: b.layer("Slice", x, axes=(1,), starts=(2,), ends=(-9,), steps=(-1,)))
    assert backwards.labels.tolist() == [2, 1, 0]


def test_a_sum_of_different_groupings_has_their_combinations() -> None:
    def total(b: Builder, x: Value) -> Value:
        left = b.concat(b.conv(x, 2), b.relu(b.conv(x, 2)))
        return b.add(left, b.concat(b.conv(x, 1, kernel=3), b.conv(x, 3)))

    found = collapsed(total)
    assert found.labels.tolist() == [0, 1, 2, 2]
    assert [one.rows for one in step(found, "Add").operands] == [(0, 0, 1), (0, 1, 1)]


def test_a_flattened_map_keeps_its_positions() -> None:
    found = collapsed(lambda b, x: b.linear(b.conv(x, 4, kernel=3), 6))
    assert counts(found, "Gemm") == [[4] * 64]
    assert found.labels.tolist() == [0] * 6


def test_squeeze_and_excitation_stays_one_channel() -> None:
    network = MobileNetV2(resolution=32, classes=7, squeeze_excite=(True,)).sample(1, seed=0)[0].network
    found = collapse(network, training=True)
    assert all(one.counts is None or one.counts.shape == (1, 1) for one in found.steps[1:])
    assert found.labels.tolist() == [0] * 7


def test_dead_layers_are_left_out() -> None:
    space = NASBench201(channels=4, cells=1, resolution=8)
    text = "|none~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_1x1~1|none~2|"
    found = collapse(space.parse(text).network, training=True)
    assert (
        len([one for one in found.steps if one.layer.op == "Conv"]) == 1 + 2 * 3 + 3
    )  # edge 1-3 reads zeros


def normal(b: Builder, x: Value) -> Value:
    return b.layer("Mul", x, b.parameter("scale", (3, 1, 1), constant=(1.0, 2.0, 3.0)))


def learned(b: Builder, x: Value) -> Value:
    return b.add(x, b.layer("Add", x, b.parameter("position", (3, 8, 8))))


def frozen(b: Builder, x: Value) -> Value:
    weight = b.parameter("filters", (4, 3, 1, 1), constant=(0.5,) * 12)
    return b.layer("Conv", x, weight, name="blur")


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda b, x: b.layer("Softmax", x, axis=1), "layer softmax (Softmax): there is no rule"),
        (lambda b, x: b.layer("Dropout", x, ratio=0.2), "layer dropout (Dropout): its masks differ"),
        (normal, "layer mul (Mul): it reads the parameter scale"),
        (learned, "layer add (Add): it reads the parameter position"),
        (frozen, "layer blur (Conv): filters is a constant of the network"),
        (lambda b, x: b.concat(x, x, axis=2), "layer concat (Concat): it joins positions"),
        (lambda b, x: b.layer("ReduceMean", x, axes=(1,)), "layer reducemean (ReduceMean): it reduces over"),
        (lambda b, x: b.layer("Transpose", x, perm=(0, 2, 3, 1)), "layer transpose (Transpose): it moves"),
    ],
)
def test_what_is_not_proved_is_refused_by_name(
    function: Callable[[Builder, Value], Value], message: str
) -> None:
    assert refusal(function).startswith(message)


def test_running_statistics_are_refused_in_eval_mode() -> None:
    assert refusal(lambda b, x: b.batch_norm(x), training=False).startswith("layer bn (BatchNormalization)")
    kept = collapse(described(lambda b, x: b.layer("Dropout", x, ratio=0.2)), training=False)
    assert kept.labels.tolist() == [0, 1, 2]


def test_one_input_and_one_output() -> None:
    b = Builder()
    two = b.build(b.add(b.input(3), b.input(3)))
    with pytest.raises(NotCollapsibleError, match="one input and one output"):
        collapse(two, training=True)


@settings(max_examples=60, deadline=None)
@given(network=networks())
def test_every_output_has_a_label_and_every_read_tensor_exists(network: Network) -> None:
    assume(len(network.live.inputs) == 1 and len(network.outputs) == 1)
    found = collapse(network, training=True)
    assert len(found.labels) == network.outputs[0].shape[0]
    made = {found.input}
    for one in found.steps:
        assert {operand.tensor for operand in one.operands if not isinstance(operand, float)} <= made
        made.add(one.output)
    assert found.output in made
