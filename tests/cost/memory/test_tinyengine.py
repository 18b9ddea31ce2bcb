"""TinyEngine: what its code generator computed for its own examples, and what it leaves out."""

import pytest

from hwnas.cost.memory import plan
from hwnas.network.builder import Builder
from hwnas.network.program import UnsupportedOperatorError, lower
from hwnas.network.tflite import read_tflite
from tests.conftest import DATA


def parts(made):
    buffers = {buffer.kind: buffer.size for buffer in made.buffers if not buffer.tensors}
    return made.planned_bytes - sum(buffers.values()), buffers.get("im2col", 0), buffers.get("kernel", 0)


def test_the_generators_own_example():
    """PEAK_MEM of tests/examples/assets/vww, mit-han-lab/tinyengine 47bb283: float input, PADs, two MEANs."""
    path = DATA / "mcu" / "models" / "vww.tflite"
    if not path.exists():
        pytest.skip(f"{path} is not there: set HWNAS_TEST_DATA")
    made = plan(read_tflite(path).program, "tinyengine")
    assert made.sram_bytes == 93992
    assert parts(made) == (89600, 3528, 864)


def mobilenet_v2(stem, stages, last, size):
    b = Builder()
    x = b.relu6(b.batch_norm(b.conv(b.input(3, size, size), stem, kernel=3, stride=2)))
    for expansion, channels, depth, stride in stages:
        for layer in range(depth):
            y = x
            if expansion > 1:
                y = b.relu6(b.batch_norm(b.conv(y, expansion * y.shape[0])))
            y = b.relu6(b.batch_norm(b.depthwise(y, kernel=3, stride=1 if layer else stride)))
            y = b.batch_norm(b.conv(y, channels))
            x = b.add(x, y) if layer else y
    return b.build(b.linear(b.global_average_pool(b.relu6(b.batch_norm(b.conv(x, last)))), 1000))


NARROW = (
    (1, 8, 1, 1),
    (6, 8, 2, 2),
    (6, 8, 3, 2),
    (6, 16, 4, 2),
    (6, 32, 3, 1),
    (6, 48, 3, 2),
    (6, 96, 1, 1),
)
WIDER = (
    (1, 8, 1, 1),
    (6, 8, 2, 2),
    (6, 16, 3, 2),
    (6, 24, 4, 2),
    (6, 32, 3, 1),
    (6, 56, 3, 2),
    (6, 112, 1, 1),
)


def test_networks_put_through_the_generator():
    """MobileNetV2 w0.35 at 144 pixels and w0.3 at 64, rebuilt from their width rule.

    The README prints 61 kB for the second; its 59.1 are what the generator computes for this network, whose
    original file is not published.
    """
    assert parts(plan(mobilenet_v2(16, WIDER, 448, 144), "tinyengine"))[0] == 290304
    made = plan(mobilenet_v2(8, NARROW, 384, 64), "tinyengine")
    assert parts(made) == (57344, 2312, 2 * 27 * 8)


def test_depthwise_convolutions_write_over_their_input():
    b = Builder()
    x = b.conv(b.input(4, 16, 16), 24, bias=True)
    made = plan(b.build(b.conv(b.depthwise(x, kernel=3, stride=2), 4)), "tinyengine")
    (shared,) = [buffer for buffer in made.buffers if len(buffer.tensors) > 1]
    assert (shared.name, shared.size, shared.birth, shared.death) == ("conv", 24 * 16 * 16, 0, 2)


def test_not_where_something_else_reads_the_input():
    b = Builder()
    x = b.conv(b.input(4, 16, 16), 24, bias=True)
    y = b.depthwise(x, kernel=3)
    forked = plan(b.build(b.add(x, y)), "tinyengine")
    assert all(len(buffer.tensors) <= 1 for buffer in forked.buffers)
    shown = plan(b.build(y, x), "tinyengine")
    assert all(len(buffer.tensors) <= 1 for buffer in shown.buffers)


def test_in_place_is_not_after_the_last_reader_only():
    """The depthwise convolution is the last to read its input: what read it before does not matter."""
    b = Builder()
    x = b.conv(b.input(4, 16, 16), 24, bias=True)
    z = b.conv(x, 2)
    y = b.depthwise(x, kernel=3)
    made = plan(b.build(y, z), "tinyengine")
    assert [len(buffer.tensors) for buffer in made.buffers if buffer.name == "conv"] == [2]


def test_squeeze_excite_with_a_hard_sigmoid_is_one_step():
    b = Builder()
    x = b.conv(b.input(8, 8, 8), 16, bias=True)
    gate = b.hard_sigmoid(b.conv(b.global_average_pool(x), 16, bias=True))
    network = b.build(b.multiply(x, gate))
    made = plan(network, "tinyengine")
    assert not any("hard_sigmoid" in buffer.name for buffer in made.buffers)
    assert parts(made)[0] == 2 * 16 * 64 + 16


@pytest.mark.parametrize("op,kind", (("Sigmoid", "LOGISTIC"), ("HardSwish", "HARD_SWISH"), ("Mul", "MUL")))
def test_what_it_lacks_is_named(op, kind):
    b = Builder()
    x = b.conv(b.input(8, 8, 8), 16, bias=True)
    y = b.layer(op, x, x, name="odd") if op == "Mul" else b.layer(op, x, name="odd")
    with pytest.raises(UnsupportedOperatorError, match=f"odd: TinyEngine has no {kind}"):
        plan(b.build(y), "tinyengine")


def test_float_networks_are_refused():
    b = Builder()
    with pytest.raises(UnsupportedOperatorError, match=r"conv.*int8.*float32"):
        plan(b.build(b.conv(b.input(8, 8, 8), 16)), "tinyengine", dtype="float32")


def test_inputs_are_int8_and_pads_vanish():
    b = Builder()
    network = b.build(b.conv(b.input(8, 17, 17), 8, kernel=3, stride=2, bias=True))
    ordinary = plan(network, "tinyengine").sram_bytes
    for changed in (
        plan(network, "tinyengine", float_input=True),
        plan(network, "tinyengine", fused_pad=False),
        plan(lower(network, float_input=True), "tinyengine"),
    ):
        assert changed.sram_bytes == ordinary
