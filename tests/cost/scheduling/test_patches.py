"""Patches: receptive fields against sets of pixels, memory against TinyEngine's, and laws."""

from __future__ import annotations

import time
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwnas.cost import count
from hwnas.cost.memory import plan
from hwnas.cost.scheduling.halo import Range, needed_ranges
from hwnas.cost.scheduling.macs import operator_macs
from hwnas.cost.scheduling.patches import best_patch_plan, patch_plan, splits
from hwnas.cost.scheduling.stage import Stage, parts
from hwnas.network import Builder, Network
from hwnas.network.program import Program, UnsupportedOperatorError
from hwnas.network.program.lower import lower
from hwnas.network.tflite import read_tflite
from hwnas.spaces import MCUNet, OFAMobileNetV3

from ...conftest import DATA


@st.composite
def stages(draw: st.DrawFn, gaps: bool = True) -> Network:
    """Convolutions, poolings and residual blocks; with `gaps` some windows leave pixels out."""
    b = Builder()
    x = b.input(3, draw(st.integers(12, 24)), draw(st.integers(12, 24)))
    for _ in range(draw(st.integers(1, 5))):
        kernel = draw(st.sampled_from((1, 2, 3, 5, 7)))
        dilation = draw(st.sampled_from((1, 1, 2))) if gaps else 1
        stride = draw(st.integers(1, 2 if gaps else min(kernel, 2)))
        padding = draw(st.integers(0, kernel // 2))
        if min(x.shape[1:]) + 2 * padding < (kernel - 1) * dilation + 3:
            break
        kind = draw(st.sampled_from(("conv", "depthwise", "pool", "residual")))
        if kind == "conv":
            x = b.conv(x, 4, kernel=kernel, stride=stride, padding=padding, dilation=dilation)
        elif kind == "depthwise":
            x = b.conv(x, x.shape[0], kernel=kernel, stride=stride, padding=padding, groups=x.shape[0])
        elif kind == "pool":
            x = b.max_pool(x, kernel=kernel, stride=stride, padding=padding)
        else:
            odd = kernel | 1
            inner = b.conv(b.depthwise(b.conv(x, 8), kernel=odd), x.shape[0])
            x = b.add(x, inner)
    x = b.conv(x, 5)
    return b.build(b.linear(b.global_average_pool(x), 2))


def split_of(program: Program) -> int:
    """Everything before the global pooling."""
    return next(i for i, o in enumerate(program.operators) if o.name.startswith("global"))


def pixels(program: Program, split: int, wanted: Range, axis: int) -> Mapping[int, set[int]]:
    """The rows of each map that `wanted` rows of the last depend on, one by one."""
    needed = {program.operators[split - 1].outputs[0]: set(range(*wanted))}
    for operator in reversed(program.operators[:split]):
        rows = needed.get(operator.outputs[0], set())
        # What is computed is contiguous.
        rows = set(range(min(rows), max(rows) + 1)) if rows else rows
        needed[operator.outputs[0]] = rows
        for number in operator.inputs:
            if number < 0 or program.tensors[number].is_constant:
                continue
            read = rows
            if operator.window is not None:
                w = operator.window
                read = {
                    row * w.strides[axis] - w.pads[axis] + tap * w.dilations[axis]
                    for row in rows
                    for tap in range(w.kernel[axis])
                }
            inside = {row for row in read if 0 <= row < program.tensors[number].shape[1 + axis]}
            needed[number] = needed.get(number, set()) | inside
    return needed


def spans(program: Program, split: int, wanted: Range, axis: int) -> Mapping[int, int]:
    needed = pixels(program, split, wanted, axis)
    return {number: max(rows) - min(rows) + 1 for number, rows in needed.items()}


@settings(max_examples=60)
@given(stages(), st.integers(1, 3), st.integers(0, 1))
def test_ranges_are_those_of_pixels(network: Network, most: int, axis: int) -> None:
    program = lower(network, fused_pad=True)
    split = split_of(program)
    target = program.operators[split - 1].outputs[0]
    size = program.tensors[target].shape[1 + axis]
    for wanted in parts(size, min(most, size)):
        ranges = needed_ranges(program, program.operators[:split], target, wanted, axis, clip=True)
        assert {number: there.length for number, there in ranges.items()} == spans(
            program, split, wanted, axis
        )
        held = needed_ranges(program, program.operators[:split], target, wanted, axis, clip=False)
        assert all(held[n].start <= there.start for n, there in ranges.items())
        assert all(held[n].stop >= there.stop for n, there in ranges.items())


@settings(max_examples=40)
@given(stages(), st.integers(1, 3), st.integers(1, 3))
def test_work_is_that_of_each_patch(network: Network, rows: int, columns: int) -> None:
    program = lower(network, fused_pad=True)
    split = split_of(program)
    target = program.operators[split - 1].outputs[0]
    _, height, width, _ = program.tensors[target].shape
    rows, columns = min(rows, height), min(columns, width)
    macs = 0
    for tall in parts(height, rows):
        for wide in parts(width, columns):
            heights, widths = spans(program, split, tall, 0), spans(program, split, wide, 1)
            for operator in program.operators[:split]:
                number = operator.outputs[0]
                _, h, w, _ = program.tensors[number].shape
                macs += operator_macs(program, operator) * heights[number] * widths[number] // (h * w)
    stage = Stage(program, split, target, rows, columns, clip=True, keep=False)
    assert stage.macs == macs
    total = sum(operator_macs(program, operator) for operator in program.operators)
    found = patch_plan(program, split, (rows, columns), "liveness")
    if rows * columns > 1:
        assert found.overhead == pytest.approx((macs - stage.whole_macs) / total)


@settings(max_examples=30)
@given(stages())
def test_one_patch_is_the_ordinary_plan(network: Network) -> None:
    split = split_of(lower(network, fused_pad=True))
    ordinary = plan(network, "liveness").planned_bytes
    found = patch_plan(network, split, (1, 1), "liveness")
    assert found.peak_bytes == ordinary == max(found.patch_bytes, found.rest_bytes)
    assert found.overhead == 0
    assert found.patch_input == (*network.inputs[0].shape[1:], network.inputs[0].shape[0])


@settings(max_examples=30)
@given(stages(gaps=False))
def test_finer_patches_hold_less_and_compute_more(network: Network) -> None:
    program = lower(network, fused_pad=True)
    split = split_of(program)
    _, height, width, _ = program.tensors[program.operators[split - 1].outputs[0]].shape
    if min(height, width) < 4:
        return
    coarse, fine = (patch_plan(program, split, (n, n), "liveness") for n in (2, 4))
    assert fine.patch_bytes <= coarse.patch_bytes
    assert fine.overhead >= coarse.overhead
    assert all(f <= c for f, c in zip(fine.patch_input, coarse.patch_input, strict=True))


@settings(max_examples=15)
@given(stages())
def test_the_best_is_no_worse_than_any(network: Network) -> None:
    program = lower(network, fused_pad=True)
    best = best_patch_plan(program, "liveness", most_patches=3)
    assert best.peak_bytes <= plan(network, "liveness").planned_bytes
    for split in splits(program):
        found = patch_plan(program, split, (1, 1), "liveness")
        assert (best.peak_bytes, best.overhead) <= (found.peak_bytes, found.overhead)
    limited = best_patch_plan(program, "liveness", most_patches=3, max_overhead=0.05)
    assert limited.overhead <= 0.05
    assert limited.peak_bytes >= best.peak_bytes


@settings(max_examples=25)
@given(stages(), st.sampled_from(("liveness", "tinyengine")), st.sampled_from((None, 0.2)))
def test_the_best_is_that_of_all_plans(network: Network, runtime: str, most: float | None) -> None:
    program = lower(network, fused_pad=True)
    best = best_patch_plan(network, runtime, most_patches=3, max_overhead=most)
    for split in splits(network):
        _, height, width, _ = program.tensors[program.operators[split - 1].outputs[0]].shape
        for rows in range(1, min(3, height) + 1):
            for columns in range(1, min(3, width) + 1):
                found = patch_plan(network, split, (rows, columns), runtime)
                if most is None or found.overhead <= most:
                    assert (best.peak_bytes, max(0, best.overhead)) <= (
                        found.peak_bytes,
                        max(0, found.overhead),
                    )
    if best.split:
        assert best == patch_plan(network, best.split, best.patches, runtime)


def test_explicit_pads_are_taken_into_the_convolutions() -> None:
    b, c = Builder(), Builder()
    x, y = b.input(3, 16, 16), c.input(3, 16, 16)
    for _ in range(3):
        x = b.conv(b.layer("Pad", x, pads=(0, 0, 1, 1, 0, 0, 1, 1)), 8, kernel=3, padding=0)
        y = c.conv(y, 8, kernel=3)
    padded = b.build(b.linear(b.global_average_pool(x), 3))
    plain = c.build(c.linear(c.global_average_pool(y), 3))
    assert splits(padded) == splits(plain) == (1, 2, 3)
    assert best_patch_plan(padded) == best_patch_plan(plain)
    assert patch_plan(padded, 2, (2, 2)) == patch_plan(plain, 2, (2, 2))


@pytest.mark.parametrize("runtime", ("tinyengine", "liveness"))
def test_long_chains_in_seconds(runtime: str) -> None:
    b = Builder()
    x = b.input(3, 64, 64)
    for layer in range(150):
        x = b.conv(x, 8 + layer % 5, kernel=3, stride=2 if layer in (5, 20) else 1)
    start = time.process_time()
    best = best_patch_plan(b.build(b.linear(b.global_average_pool(x), 10)), runtime)
    assert time.process_time() - start < 8
    assert best.split == 6


def vww() -> Program:
    path = DATA / "mcu" / "models" / "vww.tflite"
    if not path.exists():
        pytest.skip(f"no {path}: set HWNAS_TEST_DATA")
    return read_tflite(path).program


def test_peak_of_tinyengine_with_patches() -> None:
    """PEAK_MEM of mit-han-lab/tinyengine 47bb283, tests/examples/assets/vww and vww_patchbased.

    Its example splits after five convolutions into 2×2 patches; the file begins with a QUANTIZE.
    """
    assert patch_plan(vww(), 6, (1, 1)).peak_bytes == 93_992
    found = patch_plan(vww(), 6, (2, 2))
    assert found.peak_bytes == 62_352
    assert found.patch_input == (47, 47, 3)


def test_best_patches_of_a_published_network() -> None:
    best = best_patch_plan(vww())
    assert best.peak_bytes < 93_992 / 2.5
    cheap = best_patch_plan(vww(), max_overhead=0.1)
    assert cheap.overhead <= 0.1
    assert best.peak_bytes < cheap.peak_bytes < 93_992 / 1.9


def test_a_published_network_of_mcunet() -> None:
    """The first stages hold the peak: 325 kB of live bytes in mcunet-in2 as a whole."""
    network = MCUNet.published()["mcunet-in2"].network
    assert plan(network, "liveness").planned_bytes == 325 * 1024
    best = best_patch_plan(network, "liveness", max_overhead=0.15)
    assert best.peak_bytes < 0.7 * 325 * 1024
    assert best_patch_plan(network, "liveness").peak_bytes < 0.5 * 325 * 1024


@pytest.mark.parametrize("seed", range(3))
def test_macs_of_programs_are_those_of_networks(seed: int) -> None:
    network = OFAMobileNetV3(classes=10).sample(1, seed=seed)[0].network
    program = lower(network)
    assert sum(operator_macs(program, o) for o in program.operators) == count(network).whole.macs


def test_what_cannot_be_split() -> None:
    b = Builder()
    x = b.conv(b.input(3, 16, 16), 8, kernel=3)
    y = b.add(x, b.depthwise(x, kernel=3))
    network = b.build(b.linear(b.global_average_pool(y), 10))
    assert splits(network) == (1, 3)
    with pytest.raises(
        ValueError, match=r"after 2 operators conv, depthwise are live; a split needs one map"
    ):
        patch_plan(network, 2, (2, 2))
    for split in (0, 5, -1):
        with pytest.raises(ValueError, match="must be from 1 to 4"):
            patch_plan(network, split, (2, 2))
    for patches in ((0, 1), (17, 1), (1, -2)):
        with pytest.raises(ValueError, match="a map of 16×16 cannot be made in"):
            patch_plan(network, 1, patches)
    for call in (lambda: patch_plan(network, 1, (2, 2), "tflm"), lambda: best_patch_plan(network, "tflm")):
        with pytest.raises(ValueError, match="'tflm' runs no patches; those that do: tinyengine, liveness"):
            call()
    for overhead in (-0.1, float("nan")):
        with pytest.raises(ValueError, match="max_overhead is a fraction"):
            best_patch_plan(network, max_overhead=overhead)


def test_operators_that_need_whole_maps_are_named() -> None:
    b = Builder()
    x = b.layer("Resize", b.conv(b.input(3, 8, 8), 4), scales=(1.0, 1.0, 2.0, 2.0), mode="nearest")
    network = b.build(b.linear(b.global_average_pool(b.conv(x, 4)), 2))
    program = lower(network, fused_pad=True)
    kinds = [operator.kind for operator in program.operators]
    at = kinds.index("RESIZE_NEAREST_NEIGHBOR") + 1
    assert max(splits(program)) < at
    with pytest.raises(
        UnsupportedOperatorError, match="RESIZE_NEAREST_NEIGHBOR cannot be executed in patches"
    ):
        patch_plan(program, at, (2, 2))


def test_a_network_that_no_split_is_possible_for() -> None:
    b = Builder()
    network = b.build(b.linear(b.linear(b.input(16), 8), 4))
    best = best_patch_plan(network)
    assert (best.split, best.patches, best.overhead) == (0, (1, 1), 0.0)
    assert best.peak_bytes == plan(network, "tinyengine").planned_bytes
