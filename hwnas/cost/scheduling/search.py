"""The order of operators with the least peak of live bytes, between two states of an execution.

An operator that fits under the peak so far and leaves no more bytes live than before can always run at
once: moved to the front of any order, it raises no step of that order. What remains are the choices that
matter; a best-first search by peak decides them exactly (as "Ordering Chaos", Ahn et al., MLSys 2020, does
by dynamic programming), and where there are too many, a beam does without proof.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush

from hwnas.cost.scheduling.dependencies import Dependencies, State, bits

MOST_STEPS = 50_000
BEAM_WIDTH = 64


@dataclass(frozen=True)
class Found:
    """What a search found.

    Attributes:
        order: operators from the start to the target; None where none is below the limit.
        bound: no order has a lower peak, in bytes, if this is more than the floor.
    """

    order: tuple[int, ...] | None
    bound: int


@dataclass(frozen=True)
class Stretch:
    """Part of an execution to be ordered.

    Attributes:
        graph: the operators.
        start: where it begins.
        target: the operators that have run at its end.
        floor: a peak that is no harm, in bytes, since it is reached elsewhere.
        limit: the order must stay below this peak.
    """

    graph: Dependencies
    start: State
    target: int
    floor: int
    limit: int

    def settle(self, state: State, peak: int) -> tuple[State, tuple[int, ...]]:
        """Run what can do no harm under `peak`; the state then, and the operators that ran."""
        ran: list[int] = []
        waiting = True
        while waiting:
            waiting = False
            for operator in bits(state.ready & self.target):
                needed, then = self.graph.run(state, operator)
                if needed <= peak and then.live <= state.live:
                    state, waiting = then, True
                    ran.append(operator)
                    break
        return state, tuple(ran)

    def steps(self, state: State, peak: int) -> list[tuple[int, State, tuple[int, ...]]]:
        """The choices at `state`: the peak after each, the state, and the operators that ran."""
        found = []
        for operator in bits(state.ready & self.target):
            needed, then = self.graph.run(state, operator)
            highest = max(peak, needed)
            if highest < self.limit:
                settled, more = self.settle(then, highest)
                found.append((highest, settled, (operator, *more)))
        return found


Origins = dict[int, tuple[int, tuple[int, ...]]]


def best_first(stretch: Stretch, most_steps: int = MOST_STEPS) -> tuple[Found, bool]:
    """The order with the least peak, and whether the search came to an end within `most_steps` choices."""
    first, ran = stretch.settle(stretch.start, stretch.floor)
    origins: Origins = {first.done: (stretch.start.done, ran)}
    peaks = {first.done: stretch.floor}
    heap = [(stretch.floor, -first.done.bit_count(), first)]
    finished: set[int] = set()
    peak, tried = stretch.floor, 0
    while heap:
        peak, _, state = heappop(heap)
        if state.done in finished:
            continue
        if state.done == stretch.target:
            return Found(_trace(origins, state.done, stretch.start.done), peak), True
        if tried >= most_steps:
            return Found(None, peak), False
        finished.add(state.done)
        tried += state.ready.bit_count()
        for highest, then, steps in stretch.steps(state, peak):
            if highest < peaks.get(then.done, stretch.limit):
                peaks[then.done] = highest
                origins[then.done] = (state.done, steps)
                heappush(heap, (highest, -then.done.bit_count(), then))
    return Found(None, stretch.limit), True


def beam(stretch: Stretch, bound: int, most_steps: int = MOST_STEPS) -> Found:
    """A good order, from the best states after each number of operators.

    `BEAM_WIDTH` states are followed, or as many as `most_steps` choices in all allow, and one at least.
    """
    first, ran = stretch.settle(stretch.start, stretch.floor)
    origins: Origins = {first.done: (stretch.start.done, ran)}
    levels: dict[int, dict[int, tuple[int, int, State]]] = {}
    _keep(levels, max(stretch.floor, bound), first)
    last = stretch.target.bit_count()
    for count in range(first.done.bit_count(), last):
        allowed = most_steps // (last - count)
        for peak, _, state in sorted(levels.pop(count, {}).values())[:BEAM_WIDTH]:
            for highest, then, steps in stretch.steps(state, peak):
                if _keep(levels, highest, then):
                    origins[then.done] = (state.done, steps)
            allowed -= state.ready.bit_count()
            most_steps -= state.ready.bit_count()
            if allowed <= 0:
                break
    if not levels:
        return Found(None, bound)
    return Found(_trace(origins, stretch.target, stretch.start.done), bound)


def _keep(levels: dict[int, dict[int, tuple[int, int, State]]], peak: int, state: State) -> bool:
    level = levels.setdefault(state.done.bit_count(), {})
    known = level.get(state.done)
    if known is not None and known[0] <= peak:
        return False
    level[state.done] = (peak, state.live, state)
    return True


def _trace(origins: Origins, done: int, start: int) -> tuple[int, ...]:
    """The operators from `start` to `done`."""
    parts: list[tuple[int, ...]] = []
    while done != start:
        done, steps = origins[done]
        parts.append(steps)
    return tuple(operator for steps in reversed(parts) for operator in steps)
