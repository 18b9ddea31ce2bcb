"""Small programs for the tests of scheduling."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

from hypothesis import strategies as st

from hwnas.network.program import Operator, Program, Tensor


@st.composite
def programs(draw: st.DrawFn, most_operators: int = 7) -> Program:
    """Any graph of operators on tensors of 1 to 40 bytes."""
    inputs = draw(st.integers(1, 2))
    sizes = [draw(st.integers(1, 40)) for _ in range(inputs)]
    operators = []
    for i in range(draw(st.integers(1, most_operators))):
        sources = draw(st.lists(st.integers(0, len(sizes) - 1), min_size=1, max_size=3))
        outputs = draw(st.integers(1, 2)) if draw(st.integers(0, 4)) == 0 else 1
        made = tuple(range(len(sizes), len(sizes) + outputs))
        operators.append(Operator(f"op{i}", "ADD_N", tuple(sources), made))
        sizes += [draw(st.integers(1, 40)) for _ in made]
    kept = draw(st.sets(st.integers(0, len(sizes) - 1), max_size=3)) | {len(sizes) - 1}
    tensors = tuple(Tensor(f"t{i}", (size,)) for i, size in enumerate(sizes))
    return Program(tensors, tuple(operators), tuple(range(inputs)), tuple(sorted(kept)))


def peak(program: Program) -> int:
    """The most bytes that are live while an operator runs, straight from the lifetimes."""
    return max(
        sum(
            program.tensors[n].bytes for n, (birth, death) in program.lifetimes.items() if birth <= i <= death
        )
        for i in range(len(program.operators))
    )


def is_executable(program: Program) -> bool:
    """Whether every operator finds its inputs."""
    there = set(program.inputs) | {n for n, tensor in enumerate(program.tensors) if tensor.is_constant}
    for operator in program.operators:
        if not {number for number in operator.inputs if number >= 0} <= there:
            return False
        there.update(operator.outputs)
    return True


def least_peak(program: Program) -> int:
    """The least peak of all orders, by trying them."""
    orders = (replace(program, operators=order) for order in permutations(program.operators))
    return min(peak(order) for order in orders if is_executable(order))
