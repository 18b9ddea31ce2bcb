"""TFLite Micro: byte by byte against its interpreter, and against a Cortex-M7."""

import csv
import itertools
import random
from pathlib import Path

import pytest

from hwnas.cost.memory import TFLM_X86, plan
from hwnas.network.builder import Builder
from hwnas.network.program import Operator, Program, Tensor, lower
from hwnas.network.quantise import placeholder
from hwnas.network.tflite import Interpreter, read_tflite, write_tflite
from tests.conftest import DATA
from tests.cost.memory.networks import cell_network, mobile_network

MODELS = DATA / "mcu" / "models"
COUNTED = list(csv.DictReader((Path(__file__).parents[2] / "reference" / "tflm_arenas.csv").open()))


def arena(program):
    return Interpreter(write_tflite(placeholder(program))).arena


def assert_exact(program):
    made, found = plan(program, TFLM_X86), arena(program)
    assert made.planned_bytes == found.head_bytes
    assert made.persistent_bytes == found.tail_bytes
    assert made.sram_bytes >= found.total_bytes


@pytest.mark.parametrize("family", (mobile_network, cell_network))
@pytest.mark.parametrize("start", (0, 80))
def test_random_networks_to_the_byte(family, start):
    pytest.importorskip("tflite_micro", reason="the extra mcu is not installed")
    kinds = set()
    for seed in range(start, start + 80):
        program = lower(family(random.Random(seed)))
        assert_exact(program)
        kinds |= {operator.kind for operator in program.operators}
    assert {"CONV_2D", "ADD", "MEAN"} < kinds
    assert kinds & {"PAD", "CONCATENATION"}


@pytest.mark.parametrize("dtype,float_input", (("float32", False), ("int8", True)))
def test_float_networks_and_inputs(dtype, float_input):
    pytest.importorskip("tflite_micro", reason="the extra mcu is not installed")
    for seed in range(6):
        network = (mobile_network, cell_network)[seed % 2](random.Random(seed))
        assert_exact(lower(network, dtype=dtype, float_input=float_input))


BEFORE = {
    "nothing": lambda b, x: x,
    "RELU": lambda b, x: b.relu(x),
    "LOGISTIC": lambda b, x: b.sigmoid(x),
    "SOFTMAX": lambda b, x: b.layer("Softmax", x, axis=-1),
    "ADD": lambda b, x: b.add(x, x),
    "MUL": lambda b, x: b.multiply(x, x),
}


@pytest.mark.parametrize("before", BEFORE)
def test_fully_connected_at_every_alignment(before):
    pytest.importorskip("tflite_micro", reason="the extra mcu is not installed")
    for between in BEFORE.values():
        for layers, bias in itertools.product((1, 2, 3), (True, False)):
            b = Builder()
            x = between(b, BEFORE[before](b, b.input(16)))
            for index in range(layers):
                x = b.linear(x, 8 + index, bias=bias)
            assert_exact(lower(b.build(x)))


ONE_OPERATOR = {
    "MUL": lambda b, x: b.multiply(x, x),
    "SUB": lambda b, x: b.layer("Sub", x, x),
    "MAXIMUM": lambda b, x: b.layer("Max", x, x),
    "MAX_POOL_2D": lambda b, x: b.max_pool(x, kernel=2, stride=2),
    "LOGISTIC": lambda b, x: b.sigmoid(x),
    "TANH": lambda b, x: b.layer("Tanh", x),
    "HARD_SWISH": lambda b, x: b.hard_swish(x),
    "RELU": lambda b, x: b.relu(b.hard_swish(x)),
    "LEAKY_RELU": lambda b, x: b.layer("LeakyRelu", x, alpha=0.1),
    "ELU": lambda b, x: b.layer("Elu", x),
    "SOFTMAX": lambda b, x: b.layer("Softmax", x, axis=1),
    "SUM": lambda b, x: b.layer("ReduceSum", x, axes=(2, 3), keepdims=1),
    "REDUCE_MAX": lambda b, x: b.layer("ReduceMax", x, axes=(2, 3), keepdims=1),
    "TRANSPOSE": lambda b, x: b.layer("Transpose", x, perm=(0, 1, 3, 2)),
    "RESHAPE": lambda b, x: b.layer("Reshape", x, shape=(0, 16, 4, 16)),
    "STRIDED_SLICE": lambda b, x: b.layer("Slice", x, starts=(2,), ends=(9,), axes=(1,), steps=(1,)),
    "SPLIT": lambda b, x: b.concat(*b.layers("Split", x, axis=1, split=(8, 8))),
    "SPLIT_V": lambda b, x: b.concat(*b.layers("Split", x, axis=1, split=(6, 10))),
    "DEPTH_TO_SPACE": lambda b, x: b.layer("DepthToSpace", x, blocksize=2),
    "SPACE_TO_DEPTH": lambda b, x: b.layer("SpaceToDepth", x, blocksize=2),
    "PRELU": lambda b, x: b.layer("PRelu", x, b.parameter("slope", (16, 1, 1))),
    "RESIZE_NEAREST_NEIGHBOR": lambda b, x: b.layer(
        "Resize",
        x,
        scales=(1.0, 1.0, 2.0, 2.0),
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
    ),
    "TRANSPOSE_CONV": lambda b, x: b.parametric("ConvTranspose", x, [(16, 12, 2, 2)], "up", strides=(2, 2)),
}


@pytest.mark.parametrize("kind", ONE_OPERATOR)
def test_every_kernel_to_the_byte(kind):
    pytest.importorskip("tflite_micro", reason="the extra mcu is not installed")
    b = Builder()
    program = lower(b.build(ONE_OPERATOR[kind](b, b.conv(b.input(16, 8, 8), 16, bias=True))))
    assert kind in {operator.kind for operator in program.operators}
    assert_exact(program)


def hand_made(sizes, operators, inputs, outputs):
    """RELUs and ADDs on int8 vectors, given as (inputs, outputs)."""
    tensors = tuple(Tensor(f"t{i}", (1, size)) for i, size in enumerate(sizes))
    kinds = {1: "RELU", 2: "ADD"}
    made = tuple(
        Operator(f"o{i}", kinds[len(read)], read, written) for i, (read, written) in enumerate(operators)
    )
    return Program(tensors, made, inputs, outputs)


@pytest.mark.parametrize(
    "program",
    (
        hand_made([400] * 4, [((0,), (2,)), ((2,), (3,))], (0, 1), (3,)),
        hand_made([400] * 4, [((0,), (1,)), ((1,), (2,)), ((2,), (3,))], (0,), (1, 3)),
        hand_made([112] * 6, [((0,), (5,)), ((5, 0), (4,)), ((4, 1), (3,)), ((3,), (2,))], (0, 1), (2,)),
        hand_made([64] * 5, [((0,), (1,)), ((0,), (2,)), ((1,), (3,)), ((3,), (4,))], (0,), (4,)),
    ),
    ids=("unread input", "output that is read", "two inputs, numbers backwards", "unread result"),
)
def test_odd_graphs_to_the_byte(program):
    pytest.importorskip("tflite_micro", reason="the extra mcu is not installed")
    assert_exact(program)


def counted_program(name):
    if name.startswith("mbv2"):
        return lower(mobilenet_v2(), fused_pad=not name.endswith("pad"))
    if name == "mlperf_ad01_int8":
        return lower(autoencoder())
    path = MODELS / f"{name}.tflite"
    if not path.exists():
        pytest.skip(f"{path} is not there: set HWNAS_TEST_DATA")
    return read_tflite(path).program


def autoencoder():
    b = Builder()
    x = b.input(640)
    for features in (128, 128, 128, 128, 8, 128, 128, 128, 128):
        x = b.relu(b.linear(x, features))
    return b.build(b.linear(x, 640))


def mobilenet_v2():
    """Width 0.35, 96 pixels, 10 classes, 320 channels before the mean."""
    b = Builder()
    x = b.relu6(b.batch_norm(b.conv(b.input(3, 96, 96), 16, kernel=3, stride=2)))
    stages = ((1, 8, 1, 1), (6, 8, 2, 2), (6, 16, 3, 2), (6, 24, 4, 2), (6, 32, 3, 1), (6, 56, 3, 2))
    for expansion, channels, depth, stride in (*stages, (6, 112, 1, 1)):
        for layer in range(depth):
            y = x
            if expansion > 1:
                y = b.relu6(b.batch_norm(b.conv(y, expansion * y.shape[0])))
            y = b.relu6(b.batch_norm(b.depthwise(y, kernel=3, stride=1 if layer else stride)))
            y = b.batch_norm(b.conv(y, channels))
            x = b.add(x, y) if layer else y
    x = b.relu6(b.batch_norm(b.conv(x, 320)))
    return b.build(b.linear(b.layer("ReduceMean", x, axes=(2, 3), keepdims=0), 10))


@pytest.mark.parametrize("row", COUNTED, ids=lambda row: row["network"])
def test_arenas_that_were_counted(row):
    program = counted_program(row["network"])
    x86 = plan(program, TFLM_X86)
    assert (x86.planned_bytes, x86.persistent_bytes) == (int(row["x86_head"]), int(row["x86_tail"]))
    m7 = plan(program, "tflm-cmsis-nn")
    total = int(row["m7_head"]) + int(row["m7_tail"])
    assert m7.planned_bytes == int(row["m7_head"])
    assert m7.persistent_bytes == pytest.approx(int(row["m7_tail"]), abs=40)
    assert m7.total_bytes == pytest.approx(total, rel=0.005)
    assert m7.sram_bytes >= total


@pytest.mark.parametrize("name", [row["network"] for row in COUNTED if "mbv2" not in row["network"]])
def test_files_of_others_to_the_byte(name):
    pytest.importorskip("tflite_micro", reason="the extra mcu is not installed")
    path = MODELS / f"{name}.tflite"
    if not path.exists():
        pytest.skip(f"{path} is not there: set HWNAS_TEST_DATA")
    content = path.read_bytes()
    made, found = plan(read_tflite(content).program, TFLM_X86), Interpreter(content).arena
    assert (made.planned_bytes, made.persistent_bytes) == (found.head_bytes, found.tail_bytes)


@pytest.mark.parametrize(
    "kernel,padding,channels,expected",
    ((3, 1, 16, None), (3, 2, 16, 2 * 9 * 16), (5, 2, 10, 2 * 25 * 10), (7, 3, 240, 23520)),
)
def test_scratch_of_depthwise_convolutions(kernel, padding, channels, expected):
    b = Builder()
    x = b.input(channels, 20, 20)
    network = b.build(b.conv(x, channels, kernel=kernel, padding=padding, groups=channels, bias=True))
    made = plan(network, "tflm-cmsis-nn", fused_pad=True)
    scratch = [buffer.size for buffer in made.buffers if buffer.kind == "scratch"]
    assert scratch == ([] if expected is None else [-(-expected // 16) * 16])
    assert not [buffer for buffer in plan(network, "tflm").buffers if buffer.kind == "scratch"]


def test_scratch_of_convolutions_and_poolings():
    b = Builder()
    x = b.conv(b.conv(b.input(3, 8, 8), 6, kernel=3, bias=True), 8, bias=True)
    made = plan(b.build(b.global_average_pool(x)), "tflm-cmsis-nn")
    scratch = {buffer.name: buffer.size for buffer in made.buffers if buffer.kind == "scratch"}
    assert scratch == {"conv": 112, "global_average_pool": 32}  # 4·28, and 4·8
