"""Against the instructions of whole networks, counted in the emulator and not fitted on."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwnas.cost import count
from hwnas.latency.instructions.counting import instructions, operations
from hwnas.latency.instructions.shipped import shipped
from hwnas.latency.instructions.table import InstructionTable
from hwnas.network import Builder

from . import nets

TABLE = InstructionTable.load(shipped())


@pytest.mark.parametrize(
    ("network", "macs", "counted"),
    [
        (nets.resnet8, 12_501_632, 29_962_917),
        (nets.ds_cnn, 2_656_768, 7_595_523),
        (nets.mobilenet_v1, 7_489_664, 23_884_912),
        (nets.autoencoder, 264_192, 583_059),
    ],
)
def test_whole_networks_within_3_percent(network, macs, counted):
    made = network()
    assert count(made).whole.macs == macs
    assert instructions(made, TABLE) == pytest.approx(counted, rel=0.03)


def test_an_operator_of_the_table_is_the_formula():
    b = Builder()
    x = b.relu6(b.batch_norm(b.conv(b.input(16, 12, 12), 24)))
    assert instructions(b.build(x), TABLE) == pytest.approx(216_851, rel=0.06)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 64), st.integers(1, 20), st.sampled_from([1, 3, 5]), st.integers(2, 64))
def test_more_work_never_takes_less(channels, size, kernel, outputs):
    def conv(channels, size, outputs):
        b = Builder()
        x = b.conv(b.input(channels, size, size), outputs, kernel=kernel)
        return instructions(b.build(b.depthwise(x, kernel=3)), TABLE)

    least = conv(channels, size, outputs)
    assert least > 0
    for more in ((channels + 1, size, outputs), (channels, size + 1, outputs), (channels, size, outputs + 1)):
        assert conv(*more) > least


def test_all_counted_operators():
    b = Builder()
    x = b.max_pool(b.relu(b.conv(b.input(3, 16, 16), 8, kernel=3)), kernel=2, stride=2)
    y = b.average_pool(b.depthwise(x, kernel=5), kernel=3)
    x = b.concat(b.relu(b.add(x, y)), b.depthwise(x, kernel=7))
    x = b.layer("Pad", x, pads=(0, 0, 1, 1, 0, 0, 1, 1), mode="constant")
    network = b.build(b.linear(b.global_average_pool(x), 10))
    assert [operation.kind for operation in operations(network)] == [
        "conv", "max_pool", "depthwise5", "average_pool", "add", "depthwise7", "concat", "pad", "mean",
        "fully_connected",
    ]  # fmt: skip


def refused(make):
    b = Builder()
    x = b.conv(b.input(8, 8, 8), 8)
    with pytest.raises(ValueError) as told:
        instructions(b.build(make(b, x)), TABLE)
    return str(told.value)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda b, x: b.hard_swish(x), "layer hard_swish: HardSwish on 8×8×8 is not among"),
        (lambda b, x: b.multiply(x, b.global_average_pool(x)), "Mul on"),
        (lambda b, x: b.add(x, b.global_average_pool(x)), "Add on 8×8×8, 8×1×1"),
        (lambda b, x: b.conv(x, 8, kernel=3, groups=2), "Conv on 8×8×8, 8×4×3×3"),
        (lambda b, x: b.depthwise(x, kernel=9), "Conv on 8×8×8, 8×1×9×9"),
        (lambda b, x: b.add(b.relu(x), x), "Relu on"),
        (lambda b, x: b.batch_norm(b.max_pool(x, kernel=2)), "BatchNormalization on"),
    ],
)
def test_what_was_not_counted_is_named(make, says):
    assert says in refused(make)
