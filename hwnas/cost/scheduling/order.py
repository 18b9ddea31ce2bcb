"""The order of execution that needs the least memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

from hwnas.cost.memory import plan
from hwnas.cost.scheduling.dependencies import Dependencies, State, bits, dependencies
from hwnas.cost.scheduling.search import MOST_STEPS, Stretch, beam, best_first
from hwnas.network.network import Network
from hwnas.network.program import Program

_NOT_IN_PLACE = ("liveness", "tflm", "tflm-cmsis-nn")
"""Runtimes whose plan is never below the peak of live bytes."""


@dataclass(frozen=True)
class Order:
    """A program in its best order, and what that saves.

    Attributes:
        program: the same operators and tensors, in an order that needs `after_bytes`.
        before_bytes: planned bytes of the order that was given, under the runtime.
        after_bytes: planned bytes of this order, never more.
        is_exact: whether it is proven that no order needs less.
    """

    program: Program
    before_bytes: int
    after_bytes: int
    is_exact: bool


def best_order(
    source: Network | Program, runtime: str = "liveness", *, most_steps: int = MOST_STEPS
) -> Order:
    """The order of execution with the least peak of live bytes, of a program or an int8 network.

    Exact where at most `most_steps` choices have to be looked at, beyond that a beam search as long again.
    Under a runtime with another plan than liveness, the order is taken only if its plan is smaller.

    Raises:
        ValueError: an unknown runtime.
    """
    given = plan(source, runtime)
    program, before = given.program, given.planned_bytes
    order, bound = least_peak_order(program, most_steps)
    is_given = order == tuple(range(len(program.operators)))
    ordered = (
        program if is_given else replace(program, operators=tuple([program.operators[i] for i in order]))
    )
    after = before if is_given else plan(ordered, runtime).planned_bytes
    if after >= before:
        ordered, after = program, before
    is_least = runtime in _NOT_IN_PLACE and after == bound
    return Order(ordered, before, after, is_least or _has_one_order(program))


def least_peak_order(program: Program, most_steps: int = MOST_STEPS) -> tuple[tuple[int, ...], int]:
    """Positions of the operators in the order found, and bytes below which no order's peak of live bytes is.

    Operators that every order runs at the same place part the program into stretches, which are ordered one
    by one, those with the highest peak first: what stays below a peak that cannot be avoided is left as is.
    """
    graph = dependencies(program)
    order = list(range(len(program.operators)))
    stretches = sorted(_stretches(graph), key=lambda stretch: -stretch.peak)
    floor = bound = max(graph.needed, default=0)
    for stretch in stretches:
        if stretch.peak <= floor:
            break
        if stretch.last - stretch.first == 1:
            found, highest, least = None, stretch.peak, stretch.peak
        else:
            found, highest, least = _ordered(graph, stretch, floor, most_steps)
        if found is not None:
            order[stretch.first : stretch.last] = found
        floor, bound = max(floor, highest), max(bound, least)
    return tuple(order), bound


@dataclass(frozen=True)
class _Given:
    """Operators `first` to `last` - 1 as given, the state before them and their peak of live bytes."""

    first: int
    last: int
    start: State
    peak: int


def _ordered(
    graph: Dependencies, given: _Given, floor: int, most_steps: int
) -> tuple[tuple[int, ...] | None, int, int]:
    """A better order of a stretch (None: there is none), its peak, and a bound on the peak of any."""
    target = (1 << given.last) - 1
    stretch = Stretch(graph, given.start, target, floor, given.peak)
    found, is_complete = best_first(stretch, most_steps)
    if not is_complete:
        found = beam(stretch, found.bound, most_steps)
    bound = found.bound if found.bound > floor else 0
    if found.order is None:
        return None, given.peak, bound
    return found.order, max(floor, _peak(graph, given.start, found.order)), bound


def _peak(graph: Dependencies, state: State, order: tuple[int, ...]) -> int:
    highest = 0
    for operator in order:
        needed, state = graph.run(state, operator)
        highest = max(highest, needed)
    return highest


def _stretches(graph: Dependencies) -> list[_Given]:
    """The given order, parted before and after each operator that every order runs at the same place."""
    cuts = sorted({0, len(graph.made), *(cut for i in _fixed(graph) for cut in (i, i + 1))})
    found, state = [], graph.start
    for first, last in pairwise(cuts):
        start, highest = state, 0
        for operator in range(first, last):
            needed, state = graph.run(state, operator)
            highest = max(highest, needed)
        found.append(_Given(first, last, start, highest))
    return found


def _fixed(graph: Dependencies) -> list[int]:
    """The operators whose place is the same in every order: all others come before or after them."""
    count = len(graph.made)
    earlier, later = [0] * count, [0] * count
    for operator in range(count):
        for other in bits(graph.before[operator]):
            earlier[operator] |= earlier[other] | 1 << other
    for operator in reversed(range(count)):
        for other in graph.after[operator]:
            later[operator] |= later[other] | 1 << other
    return [i for i in range(count) if (earlier[i] | later[i] | 1 << i) == graph.everything]


def _has_one_order(program: Program) -> bool:
    return len(_fixed(dependencies(program))) == len(program.operators)
