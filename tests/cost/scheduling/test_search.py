"""The least peak against all orders."""

from dataclasses import replace

import pytest
from hypothesis import given, settings

from hwnas.cost.scheduling.order import least_peak_order
from hwnas.network.program import Operator, Program, Tensor
from tests.cost.scheduling.programs import is_executable, least_peak, peak, programs


def ordered(program: Program, most_steps: int = 100_000) -> tuple[Program, int]:
    order, bound = least_peak_order(program, most_steps)
    assert sorted(order) == list(range(len(program.operators)))
    return replace(program, operators=tuple(program.operators[i] for i in order)), bound


@settings(max_examples=150)
@given(programs(most_operators=6))
def test_least_peak_of_all_orders(program: Program) -> None:
    found, bound = ordered(program)
    assert is_executable(found)
    assert peak(found) == least_peak(program) == bound


@settings(max_examples=100)
@given(programs(most_operators=14))
def test_beam_is_never_worse_than_the_given_order_nor_its_bound_above_the_least(program: Program) -> None:
    exact, least = ordered(program)
    assert peak(exact) == least
    found, bound = ordered(program, most_steps=1)
    assert is_executable(found)
    assert bound <= least <= peak(found) <= peak(program)


@settings(max_examples=50)
@given(programs(most_operators=12))
def test_an_ordered_program_stays_as_it_is(program: Program) -> None:
    found, least = ordered(program)
    again, bound = ordered(found)
    assert again == found
    assert bound == least


def branches(count: int, length: int = 3) -> Program:
    """`count` chains from one input that widen, narrow and are joined by one operator."""
    tensors = [Tensor("input", (1, 8, 8, 4))]
    operators: list[Operator] = []
    ends = []
    for step in range(length):
        for branch in range(count):
            source = 0 if step == 0 else len(tensors) - count
            tensors.append(Tensor(f"{branch}.{step}", (1, 8, 8, (16 if step < length - 1 else 1) + branch)))
            operators.append(Operator(f"{branch}.{step}", "RELU", (source,), (len(tensors) - 1,)))
    ends = list(range(len(tensors) - count, len(tensors)))
    tensors.append(Tensor("output", (1, 8, 8, count)))
    operators.append(Operator("join", "CONCATENATION", tuple(ends), (len(tensors) - 1,)))
    return Program(tuple(tensors), tuple(operators), (0,), (len(tensors) - 1,))


def test_one_branch_after_the_other() -> None:
    program = branches(4)
    found, least = ordered(program)
    assert peak(found) == least < 0.6 * peak(program)


@pytest.mark.parametrize("count", [20, 60])
def test_wide_graphs_take_bounded_work(count: int) -> None:
    """60 branches have more states than could be looked at: 4**60."""
    program = branches(count)
    found, bound = ordered(program, most_steps=20_000)
    assert is_executable(found)
    assert bound <= peak(found) < peak(program)
