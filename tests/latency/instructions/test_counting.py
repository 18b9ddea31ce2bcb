"""Against the instructions of whole networks, counted in the emulator and not fitted on."""

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwnas.cost import count
from hwnas.latency.instructions.blocks import Counter
from hwnas.latency.instructions.counting import instructions, operations
from hwnas.latency.instructions.operators import taps_along
from hwnas.latency.instructions.shipped import shipped
from hwnas.latency.instructions.table import InstructionTable
from hwnas.network import Builder
from hwnas.network.program.lower import lower
from hwnas.network.tflite import read_tflite
from hwnas.spaces import space
from tests.conftest import DATA

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
def test_whole_networks_within_2_percent(network, macs, counted):
    made = network()
    assert count(made).whole.macs == macs
    assert instructions(made, TABLE) == pytest.approx(counted, rel=0.02)


def test_an_operator_of_the_table_is_the_formula():
    b = Builder()
    x = b.relu6(b.batch_norm(b.conv(b.input(16, 12, 12), 24)))
    assert instructions(b.build(x), TABLE) == pytest.approx(216_851, rel=0.02)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 64), st.integers(1, 20), st.sampled_from([1, 3, 5]), st.integers(2, 64))
def test_more_work_never_takes_less(channels, size, kernel, outputs):
    def conv(channels, size, outputs):
        b = Builder()
        x = b.conv(b.input(channels, size, size), outputs, kernel=kernel)
        return instructions(b.build(b.depthwise(x, kernel=3)), TABLE)

    least = conv(channels, size, outputs)
    assert least > 0
    more_channels = channels + 16  # sixteen take fewer instructions than fifteen
    for more in (
        (more_channels, size, outputs),
        (channels, size + 1, outputs),
        (channels, size, outputs + 1),
    ):
        assert conv(*more) > least


def test_all_operators_that_a_network_has():
    b = Builder()
    x = b.max_pool(b.relu(b.conv(b.input(3, 16, 16), 8, kernel=3)), kernel=2, stride=2, padding=0)
    y = b.average_pool(b.depthwise(x, kernel=5), kernel=3, padding=0)
    x = b.layer("Pad", y, pads=(0, 0, 1, 1, 0, 0, 1, 1), mode="constant")
    x = b.concat(b.relu(b.add(x, b.depthwise(x, kernel=3))), b.depthwise(x, kernel=7))
    x = b.hard_swish(b.conv(x, 16, stride=2))
    x = b.multiply(x, b.global_average_pool(x))
    network = b.build(b.linear(b.layer("ReduceMean", x, axes=(2, 3), keepdims=0), 10))
    assert [operation.kind for operation in operations(network)] == [
        "conv", "max_pool", "depthwise", "average_pool", "pad", "depthwise3", "add", "depthwise", "concat", "conv1",
        "hard_swish", "average_pool", "mul_broadcast", "mean", "fully_connected",
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
        (lambda b, x: b.sigmoid(x), "operator sigmoid: LOGISTIC on 1×8×8×8 int8 is not among"),
        (lambda b, x: b.conv(x, 8, kernel=3, groups=2), "CONV_2D on 1×8×8×8 int8"),
        (lambda b, x: b.layer("Elu", x), "operator elu: ELU on 1×8×8×8 int8 is not among"),
    ],
)
def test_what_was_not_counted_is_named(make, says):
    assert says in refused(make)


def test_float_programs_are_refused():
    with pytest.raises(ValueError, match="CONV_2D on 1×32×32×3 float32 is not among"):
        instructions(lower(nets.resnet8(), dtype="float32"), TABLE)


def test_padding_that_tflite_does_not_know_costs_a_copy():
    b = Builder()
    network = b.build(b.depthwise(b.input(16, 32, 32), kernel=3, stride=2))
    padded, fused = lower(network), lower(network, fused_pad=True)
    assert [operation.kind for operation in operations(padded)] == ["pad", "depthwise3"]
    assert operations(network) == operations(padded)
    assert instructions(padded, TABLE) > 1.05 * instructions(fused, TABLE)


COUNTED = {  # in QEMU, one inference of the whole file
    "mlperf_pretrainedResnet_quant": 29_962_917,
    "mlperf_vww_96_int8": 23_884_912,
    "mlperf_kws_ref_model": 7_595_523,
    "tflm_person_detect": 22_545_481,
    "vww": 49_822_309,
}


@pytest.mark.parametrize("name", COUNTED)
def test_files_of_others_within_2_percent(name):
    path = DATA / "mcu" / "models" / f"{name}.tflite"
    if not path.exists():
        pytest.skip(f"no model {path}: set HWNAS_TEST_DATA")
    assert instructions(read_tflite(path).program, TABLE) == pytest.approx(COUNTED[name], rel=0.02)


@pytest.mark.parametrize(
    "name", ["mcunet", "mobilenetv2:resolution=32,classes=10", "ofa_mobilenetv3", "nasbench201"]
)
def test_blocks_sum_to_the_network(name):
    counter = Counter(TABLE)
    for architecture in space(name).sample(5, seed=1):
        network = architecture.network
        whole = counter.sum(operations(network))
        assert counter.count(network).instructions == pytest.approx(whole.instructions, rel=1e-12)
        assert counter.count(network).unseen == whole.unseen


def head(b, x):
    return b.linear(b.flatten(b.global_average_pool(x)), 10)


@pytest.mark.parametrize(
    "make",
    [
        lambda b, x: b.block("after", lambda b, x: b.relu(x), b.block("conv", lambda b, x: b.conv(x, 8), x)),
        lambda b, x: b.block("norm", lambda b, x: b.relu(b.batch_norm(x)), b.conv(x, 8)),
        lambda b, x: b.linear(b.block("flat", lambda b, x: b.flatten(x), x), 10),
        lambda b, x: (b.block("dead", lambda b, x: b.conv(x, 64, kernel=3), x), b.block("head", head, x))[1],
        lambda b, x: b.block("head", head, b.block("body", lambda b, x: b.relu(b.conv(x, 8)), x)),
    ],
)
def test_what_is_fused_across_blocks_is_counted_once(make):
    b = Builder()
    network = b.build(make(b, b.input(8, 16, 16)))
    counter = Counter(TABLE)
    assert counter.count(network).instructions == pytest.approx(instructions(network, TABLE), rel=1e-12)
    assert pickle.loads(pickle.dumps(counter)).count(network) == counter.count(network)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 20), st.integers(1, 7), st.integers(1, 3), st.integers(0, 3), st.integers(1, 2), st.data()
)
def test_elements_of_windows_inside_the_map(size, kernel, stride, pad, dilation, data):
    reach = (kernel - 1) * dilation + 1
    if reach > size + pad:
        return
    out = data.draw(st.integers(1, (size + pad - reach) // stride + 1))
    places = [i * stride - pad + k * dilation for i in range(out) for k in range(kernel)]
    assert taps_along(size, out, kernel, stride, pad, dilation) == sum(0 <= p < size for p in places)
