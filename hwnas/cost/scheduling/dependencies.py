"""Which operators of a program wait for which, and how many bytes each makes and frees."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from hwnas.network.program import Program


class State(NamedTuple):
    """Where an execution stands.

    Attributes:
        done: the operators that have run, a bit for each.
        ready: those that can run next.
        live: bytes of the tensors that are needed later.
    """

    done: int
    ready: int
    live: int


@dataclass(frozen=True)
class Dependencies:
    """The operators of a program as a graph; sets of operators are bit masks.

    Attributes:
        before: of each operator, those whose outputs it reads.
        after: of each operator, those that read its outputs.
        needed: bytes of its inputs and outputs.
        made: bytes of its outputs.
        unread: bytes of its outputs that nothing reads.
        reads: of each of its inputs that dies, all that read it, and its bytes.
        input_bytes: bytes of the program's inputs.
        unread_inputs: those of the inputs that nothing reads, which live at the first operator only.
    """

    before: tuple[int, ...]
    after: tuple[tuple[int, ...], ...]
    needed: tuple[int, ...]
    made: tuple[int, ...]
    unread: tuple[int, ...]
    reads: tuple[tuple[tuple[int, int], ...], ...]
    input_bytes: int
    unread_inputs: int

    @property
    def everything(self) -> int:
        """All operators."""
        return (1 << len(self.made)) - 1

    @property
    def start(self) -> State:
        """Nothing has run."""
        ready = sum(1 << operator for operator, needed in enumerate(self.before) if not needed)
        return State(0, ready, self.input_bytes - self.unread_inputs)

    def run(self, state: State, operator: int) -> tuple[int, State]:
        """The bytes that are live while `operator` runs, and the state after it."""
        done, ready, live = state
        peak = live + self.made[operator] + (0 if done else self.unread_inputs)
        done |= 1 << operator
        ready ^= 1 << operator
        for later in self.after[operator]:
            if not self.before[later] & ~done:
                ready |= 1 << later
        live += self.made[operator] - self.unread[operator]
        for readers, size in self.reads[operator]:
            if not readers & ~done:
                live -= size
        return peak, State(done, ready, live)


def dependencies(program: Program) -> Dependencies:
    """The graph of the operators of `program`."""
    makers = {number: i for i, operator in enumerate(program.operators) for number in operator.outputs}
    readers: dict[int, int] = {}
    for i, operator in enumerate(program.operators):
        for number in operator.inputs:
            readers[number] = readers.get(number, 0) | 1 << i
    kept = set(program.outputs)
    before, after, needed, made, unread, reads = [], [], [], [], [], []
    for operator in program.operators:
        inputs = {number for number in operator.inputs if number in makers}
        before.append(sum({1 << makers[number] for number in inputs}))
        later = 0
        for number in operator.outputs:
            later |= readers.get(number, 0)
        after.append(tuple(bits(later)))
        touched = {n for n in operator.inputs if n in makers or n in program.inputs} | {*operator.outputs}
        needed.append(sum(program.tensors[number].bytes for number in touched))
        made.append(sum(program.tensors[number].bytes for number in operator.outputs))
        unread.append(
            sum(program.tensors[n].bytes for n in operator.outputs if n not in readers and n not in kept)
        )
        dying = touched.difference(operator.outputs, kept)
        reads.append(tuple((readers[n], program.tensors[n].bytes) for n in sorted(dying)))
    sizes = {number: program.tensors[number].bytes for number in program.inputs}
    return Dependencies(
        tuple(before),
        tuple(after),
        tuple(needed),
        tuple(made),
        tuple(unread),
        tuple(reads),
        sum(sizes.values()),
        sum(size for number, size in sizes.items() if number not in readers and number not in kept),
    )


def bits(mask: int) -> Iterator[int]:
    """The positions of the bits of `mask`, lowest first."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest
