"""What another order saves, under the planners of runtimes."""

from dataclasses import replace

import pytest
from hypothesis import given, settings

from hwnas.cost.memory import RUNTIMES, plan
from hwnas.cost.scheduling.order import best_order
from hwnas.network.builder import Builder
from hwnas.network.program import Program
from hwnas.network.program.lower import lower
from hwnas.spaces import DARTS, MobileNetV2, NASBench201
from tests.cost.scheduling.programs import is_executable, least_peak, peak, programs
from tests.cost.scheduling.test_search import branches


@settings(max_examples=60)
@given(programs(most_operators=6))
def test_liveness_of_the_best_order(program: Program) -> None:
    order = best_order(program)
    assert order.is_exact
    assert order.before_bytes == peak(program) == plan(program, "liveness").planned_bytes
    assert order.after_bytes == peak(order.program) == least_peak(program)
    assert is_executable(order.program)


@settings(max_examples=60)
@given(programs())
def test_the_network_computes_the_same(program: Program) -> None:
    found = best_order(program).program
    assert replace(found, operators=program.operators) == program
    assert sorted(found.operators, key=lambda o: o.name) == sorted(program.operators, key=lambda o: o.name)
    assert is_executable(found)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_chains_have_one_order(runtime: str) -> None:
    program = lower(MobileNetV2(resolution=96, classes=10).sample(1, seed=0)[0].network, fused_pad=True)
    chain = replace(program, operators=program.operators[:4], outputs=program.operators[3].outputs)
    order = best_order(chain, runtime)
    assert order.program is chain
    assert order.is_exact
    assert order.before_bytes == order.after_bytes == plan(chain, runtime).planned_bytes


@pytest.mark.parametrize("runtime", ["liveness", "tflm", "tflm-cmsis-nn", "onnxruntime"])
def test_what_is_saved_is_what_the_plans_say(runtime: str) -> None:
    program = branches(4)
    order = best_order(program, runtime)
    assert order.before_bytes == plan(program, runtime).planned_bytes
    assert order.after_bytes == plan(order.program, runtime).planned_bytes < 0.65 * order.before_bytes


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("runtime", ["liveness", "tflm"])
def test_never_worse_on_cells(seed: int, runtime: str) -> None:
    program = lower(NASBench201().sample(1, seed=seed)[0].network)
    order = best_order(program, runtime)
    assert order.after_bytes <= order.before_bytes
    assert order.after_bytes == plan(order.program, runtime).planned_bytes
    assert is_executable(order.program)


def test_darts_cells_save_memory() -> None:
    """A network of 500 operators or more, whose cells are interleaved: no operator's place is fixed."""
    network = DARTS().sample(1, seed=5)[0].network
    order = best_order(lower(network, fused_pad=True))
    assert len(order.program.operators) > 500
    assert order.is_exact
    assert order.after_bytes < 0.95 * order.before_bytes


def test_an_unknown_runtime() -> None:
    with pytest.raises(ValueError, match="no runtime is called 'tvm'"):
        best_order(branches(2), "tvm")


def test_networks_as_well_as_programs():
    b = Builder()
    x = b.input(4, 8, 8)
    wide = b.conv(b.conv(x, 64, kernel=1), 4, kernel=1)
    network = b.build(b.add(wide, b.conv(x, 4, kernel=1)))
    for runtime in ("liveness", "tflm"):
        program = plan(network, runtime).program
        assert best_order(network, runtime) == best_order(program, runtime)
