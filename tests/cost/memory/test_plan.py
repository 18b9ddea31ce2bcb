"""What holds for the plans of all runtimes."""

import random
import time
from itertools import combinations

import pytest

import hwnas
from hwnas.cost.memory import RUNTIMES, TFLM_X86, plan
from hwnas.network.builder import Builder
from hwnas.network.program import Operator, Program, Tensor, UnsupportedOperatorError, lower
from hwnas.spaces import MCUNet
from tests.cost.memory.networks import cell_network, mobile_network

ALL = [*RUNTIMES.values(), TFLM_X86]
IN_PLACE = ("tinyengine",)


def plans(runtime, count=25):
    for seed in range(count):
        network = (mobile_network, cell_network)[seed % 2](random.Random(seed))
        try:
            yield network, plan(network, runtime)
        except UnsupportedOperatorError:
            assert runtime.name == "tinyengine"


@pytest.mark.parametrize("runtime", ALL, ids=lambda runtime: runtime.name)
def test_laws(runtime):
    seen = 0
    for _, made in plans(runtime):
        seen += 1
        placed = [buffer for buffer in made.buffers if buffer.offset is not None]
        for a, b in combinations(placed, 2):
            if a.birth <= b.death and b.birth <= a.death:
                assert a.offset + a.size <= b.offset or b.offset + b.size <= a.offset
        if placed:
            assert made.planned_bytes == max(b.offset + b.size for b in placed)
        if runtime.name not in IN_PLACE:
            assert made.planned_bytes >= plan(made.program, "liveness").planned_bytes
        assert made.total_bytes == made.planned_bytes + made.persistent_bytes <= made.sram_bytes
        held = {number for buffer in made.buffers for number in buffer.tensors}
        assert held <= set(made.program.lifetimes)
        for buffer in made.buffers:
            assert all(made.program.tensors[number].bytes <= buffer.size for number in buffer.tensors)
    assert seen >= 8


@pytest.mark.parametrize("runtime", ALL, ids=lambda runtime: runtime.name)
def test_the_peak_is_where_the_memory_is_full(runtime):
    for _, made in plans(runtime, 10):
        position = made.program.operators.index(made.peak_operator)
        at_peak = made.at_peak
        assert all(b.birth <= position <= b.death for b in at_peak)
        assert [b.size for b in at_peak] == sorted([b.size for b in at_peak], reverse=True)
        if at_peak[0].offset is None:
            assert sum(b.size for b in at_peak) == made.planned_bytes
        else:
            assert max(b.offset + b.size for b in at_peak) == made.planned_bytes


def test_liveness_by_hand():
    b = Builder()
    x = b.input(3, 8, 8)  # 192 bytes
    y = b.conv(x, 10, kernel=3)  # 640
    z = b.conv(y, 4)  # 256
    network = b.build(b.add(z, b.conv(z, 4)))  # at the first conv 832, at the second 896, then 512 and 768
    made = plan(network, "liveness")
    assert made.planned_bytes == made.sram_bytes == 896
    assert made.peak_operator.name == "conv_1"
    assert [buffer.name for buffer in made.at_peak] == ["conv", "conv_1"]
    assert {buffer.name: buffer.kind for buffer in made.buffers}["input"] == "input"
    assert {buffer.name: buffer.kind for buffer in made.buffers}["add"] == "output"


def test_float_tensors_count_four_bytes():
    b = Builder()
    x = b.input(3, 8, 8)
    network = b.build(b.conv(x, 10, kernel=3))
    assert plan(network, "liveness", dtype="float32").planned_bytes == 4 * (192 + 640)
    assert plan(network, "liveness", float_input=True).planned_bytes == 4 * 192 + 192
    assert plan(network, "onnxruntime", dtype="float32").planned_bytes == 4 * (192 + 640)


def test_explicit_pads_hold_a_copy():
    b = Builder()
    network = b.build(b.conv(b.input(8, 16, 16), 8, kernel=3, stride=2))
    padded, fused = (plan(network, "tflm", fused_pad=f).planned_bytes for f in (None, True))
    assert padded == 8 * 16 * 16 + 8 * 18 * 18
    assert fused == 8 * 16 * 16 + 8 * 8 * 8
    assert plan(network, "liveness").planned_bytes == fused


def test_an_output_that_is_read_too_lives_to_the_end():
    b = Builder()
    x = b.conv(b.input(4, 8, 8), 16)
    y = b.conv(b.conv(x, 4), 4)
    made = plan(b.build(x, y), "tflm")
    (output,) = [buffer for buffer in made.buffers if buffer.name == "conv"]
    assert (output.kind, output.birth, output.death) == ("output", 0, 2)


def test_operators_that_a_runtime_lacks_are_named():
    b = Builder()
    network = b.build(b.layer("Gelu", b.conv(b.input(3, 8, 8), 4), name="bend"))
    with pytest.raises(UnsupportedOperatorError, match=r"bend.*tflm.*GELU.*CONV_2D"):
        plan(network, "tflm")
    with pytest.raises(UnsupportedOperatorError, match=r"bend.*TinyEngine.*GELU"):
        plan(network, "tinyengine")
    assert plan(network, "onnxruntime").planned_bytes > 0


def test_kernels_for_float_alone_are_refused_on_int8():
    b = Builder()
    network = b.build(b.layer("Exp", b.input(8), name="grow"))
    with pytest.raises(UnsupportedOperatorError, match=r"grow.*EXP in float32 only"):
        plan(network, "tflm")
    assert plan(network, "tflm", dtype="float32").planned_bytes == 64


def test_runtimes_nobody_knows():
    network = Builder()
    with pytest.raises(ValueError, match=r"'tflmm'.*tinyengine"):
        plan(network.build(network.input(3)), "tflmm")


def test_a_program_without_operators():
    made = plan(Program((Tensor("x", (1, 8)),), (), (0,), (0,)), "liveness")
    assert made.planned_bytes == 8
    assert made.peak_operator is None
    assert [buffer.name for buffer in made.at_peak] == ["x"]


def test_results_that_nothing_reads_count_where_they_are_made():
    tensors = tuple(Tensor(name, (1, size)) for name, size in (("x", 64), ("a", 32), ("b", 160), ("c", 16)))
    tensors += (Tensor("axis", (1,), "int32", True, 0),)
    operators = (Operator("split", "SPLIT", (4, 0), (1, 2)), Operator("relu", "RELU", (1,), (3,)))
    program = Program(tensors, operators, (0,), (3,))
    for runtime in ("liveness", "tflm", "onnxruntime"):
        made = plan(program, runtime)
        (unread,) = [buffer for buffer in made.buffers if buffer.name == "b"]
        assert (unread.birth, unread.death) == (0, 0)
        assert made.planned_bytes >= 64 + 32 + 160


def test_a_plan_of_a_deep_network_takes_about_a_millisecond():
    program = lower(MCUNet(width=0.5, resolution=160).sample(1, seed=0)[0].network, fused_pad=True)
    assert len(program.operators) > 40
    for runtime in RUNTIMES:
        times = []
        for _ in range(15):
            start = time.perf_counter()
            plan(program, runtime)
            times.append(time.perf_counter() - start)
        assert min(times) < 2e-3, runtime


def test_keywords_of_networks_are_refused_with_programs():
    network = cell_network(random.Random(1))
    program = lower(network, dtype="float32")
    for keywords in ({"dtype": "int8"}, {"dtype": "float32"}, {"fused_pad": False}, {"float_input": True}):
        with pytest.raises(ValueError, match="are for networks; a program has its own"):
            plan(program, "tflm", **keywords)
    assert plan(network, "tflm", dtype="float32", fused_pad=False) == plan(program, "tflm")


@pytest.mark.parametrize("source", (None, "net.onnx", 5))
def test_what_cannot_be_planned(source):
    with pytest.raises(TypeError, match="a Network or a Program can be planned, not"):
        plan(source)
    with pytest.raises(FileNotFoundError if isinstance(source, str) else ValueError, match=str(source)):
        hwnas.plan(source)
