"""The arena's planned part ("head") in TFLite Micro: its greedy memory planner.

Sizes are rounded up to 16 bytes. The largest buffer is placed first, of equal ones that with the higher
number (scratch buffers come after all tensors), each at the lowest address that is free in its lifetime.
"""

from __future__ import annotations

from hwnas.cost.memory.buffers import Buffer, Layout, aligned, kind_of
from hwnas.cost.memory.first_fit import first_fit, highest_end, largest_and_last_first
from hwnas.cost.memory.scratch import Scratch
from hwnas.network.program import Program

ALIGNMENT = 16


def tflm_layout(program: Program, scratch: Scratch) -> Layout:
    """The buffers of `program` and of its kernels' `scratch` as TFLite Micro places them."""
    buffers = _tensors(program) + _scratch(program, scratch)
    sizes = [buffer.size for buffer in buffers]
    # Step 0 is before the first operator: all inputs are there then.
    births = [0 if buffer.kind == "input" else buffer.birth + 1 for buffer in buffers]
    deaths = [buffer.death + 1 for buffer in buffers]
    offsets = first_fit(sizes, births, deaths, largest_and_last_first(sizes))
    placed = [b._replace(offset=offset) for b, offset in zip(buffers, offsets, strict=True)]
    return Layout(tuple(placed), highest_end(sizes, offsets))


def _tensors(program: Program) -> list[Buffer]:
    buffers = []
    unread = _unread_inputs(program)
    for number, (birth, death) in sorted(program.lifetimes.items()):
        tensor = program.tensors[number]
        size = aligned(tensor.bytes, ALIGNMENT)
        if number in unread:
            birth = death = -1
        if size:
            kind = kind_of(program, number)
            buffers.append(Buffer(tensor.name, kind, size, birth, death, None, (number,)))
    return buffers


def _unread_inputs(program: Program) -> set[int]:
    """Inputs that no operator reads: the runtime gives them up before the first."""
    unread = {number for number in program.inputs if number not in program.outputs}
    for operator in program.operators:
        if not unread:
            break
        unread.difference_update(operator.inputs)
    return unread


def _scratch(program: Program, scratch: Scratch) -> list[Buffer]:
    return [
        Buffer(operator.name, "scratch", aligned(size, ALIGNMENT), position, position)
        for position, operator in enumerate(program.operators)
        for size in scratch(program, operator)
        if size
    ]
