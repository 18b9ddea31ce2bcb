"""The memory of a network put together from its blocks' is that of its whole plan."""

import numpy as np
import pytest

from hwnas.cost.flash import flash, flash_bytes
from hwnas.cost.memory import RUNTIMES, TFLM_X86, plan
from hwnas.cost.memory.peak import peak_sram_bytes
from hwnas.network.builder import Builder
from hwnas.network.network import Value
from hwnas.network.program import UnsupportedOperatorError
from hwnas.network.program.apart import separate_blocks
from hwnas.spaces import space

SPACES = (
    "mcunet:width=0.5,resolution=160",
    "mcunet:width=0.2,resolution=50",
    "mobilenetv2:resolution=96,classes=10",
    "ofa_mobilenetv3:resolutions=(128,)",
    "proxylessnas:resolutions=(101,)",
    "nasbench201",
)


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("runtime", [*RUNTIMES.values(), TFLM_X86], ids=lambda runtime: runtime.name)
def test_parts_together_are_the_whole(name, runtime):
    generator = np.random.default_rng(7)
    networks = [space(name).random(generator).network for _ in range(6)]
    for network in networks:
        try:
            expected = plan(network, runtime).sram_bytes
        except UnsupportedOperatorError:
            with pytest.raises(UnsupportedOperatorError):
                peak_sram_bytes(network, runtime)
            continue
        assert peak_sram_bytes(network, runtime) == expected
        assert peak_sram_bytes(network, runtime, most=expected) == expected
        for most in (expected // 2, int(0.9 * expected), expected - 1):
            assert most < peak_sram_bytes(network, runtime, most=most) <= expected


def depthwise(b: Builder, x: Value) -> Value:
    return b.relu6(b.depthwise(x, kernel=3))


def convolution(b: Builder, x: Value) -> Value:
    return b.relu6(b.conv(x, 8, kernel=3))


def activation(b: Builder, x: Value) -> Value:
    return b.relu(x)


def both(b: Builder, x: Value) -> tuple[Value, Value]:
    y = b.conv(x, 8)
    return y, b.conv(y, 8)


def test_blocks_that_work_in_place_on_what_others_read():
    """A depthwise block cannot write over its input where a later block reads that."""
    b = Builder()
    x = b.block("a", convolution, b.input(8, 16, 16))
    y = b.block("b", depthwise, x)
    network = b.build(b.block("c", convolution, b.block("d", joined, x, y)))
    for runtime in RUNTIMES:
        assert peak_sram_bytes(network, runtime) == plan(network, runtime).sram_bytes


def separable(b: Builder, x: Value) -> Value:
    return b.conv(b.relu6(b.depthwise(x, kernel=3)), 8)


def test_blocks_that_work_in_place_within_themselves():
    b = Builder()
    x = b.block("a", convolution, b.input(8, 16, 16))
    y = b.block("b", separable, x)
    chain = b.build(y)
    forked = b.build(b.block("c", joined, x, y))
    for network in (chain, forked):
        assert peak_sram_bytes(network, "tinyengine") == plan(network, "tinyengine").sram_bytes


def joined(b: Builder, x: Value, y: Value) -> Value:
    return b.add(b.conv(x, 8), y)


def test_what_is_given_out_is_not_overwritten():
    b = Builder()
    x = b.block("a", convolution, b.input(8, 16, 16))
    network = b.build(x, b.block("b", separable, x))
    assert peak_sram_bytes(network, "tinyengine") == plan(network, "tinyengine").sram_bytes


def ignoring(b: Builder, x: Value, y: Value) -> Value:
    return b.conv(x, 8)


def unsqueezed(b: Builder, x: Value) -> Value:
    return b.layer("Unsqueeze", b.global_average_pool(x), axes=(1,))


def gate(b: Builder, x: Value) -> Value:
    return b.hard_sigmoid(b.conv(b.global_average_pool(x), 8))


def gated(b: Builder, x: Value, y: Value) -> Value:
    return b.conv(b.multiply(x, y), 8)


@pytest.mark.parametrize("case", ["an ignored input", "a renaming at the end", "a gate in two blocks"])
def test_blocks_that_only_seem_to_stand_alone(case):
    b = Builder()
    x = b.block("a", convolution, b.input(8, 16, 16))
    if case == "an ignored input":
        network = b.build(b.block("c", ignoring, x, b.block("b", convolution, x)))
    elif case == "a renaming at the end":
        network = b.build(b.block("b", unsqueezed, x))
    else:
        network = b.build(b.block("c", gated, x, b.block("b", gate, x)))
    for runtime in ("tflm", "tflm-cmsis-nn", "tinyengine"):
        assert peak_sram_bytes(network, runtime) == plan(network, runtime).sram_bytes
        assert flash_bytes(network, runtime) == flash(network, runtime).total_bytes


def test_what_is_fused_over_a_border_is_seen():
    b = Builder()
    x = b.block("b", activation, b.block("a", convolution, b.input(8, 16, 16)))
    network = b.build(x)
    assert separate_blocks(network) is None
    assert peak_sram_bytes(network, "tflm") == plan(network, "tflm").sram_bytes


def test_a_result_that_nothing_reads():
    b = Builder()
    y, _ = b.block("a", both, b.input(8, 16, 16))
    network = b.build(b.block("b", convolution, y))
    assert separate_blocks(network) is None
    assert peak_sram_bytes(network, "tinyengine") == plan(network, "tinyengine").sram_bytes


def test_runtimes_nobody_knows():
    with pytest.raises(ValueError, match="tinyengine"):
        peak_sram_bytes(space("mcunet").sample(1, seed=0)[0].network, "tinyengin")
