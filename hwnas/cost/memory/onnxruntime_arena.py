"""A greedy arena like ONNX Runtime's: buffers in the order of execution, each where it fits best."""

from __future__ import annotations

from collections.abc import Sequence

from hwnas.cost.memory.buffers import Buffer, Layout, aligned, kind_of
from hwnas.cost.memory.first_fit import highest_end
from hwnas.network.program import Program

ALIGNMENT = 64


def onnxruntime_layout(program: Program) -> Layout:
    """The activations of `program`, inputs and outputs included, as ONNX Runtime's planner would place them.

    A model of its memory pattern, not a measurement of the library: sizes are rounded up to 64 bytes; when an
    operator runs, each of its outputs takes the smallest gap between living buffers that holds it, else the
    end; a buffer is free after its last reader. ONNX Runtime leaves inputs and outputs to its caller, whose
    memory is counted here; it computes some operators in place, which is not; weights, and what its kernels
    pack or unfold, come on top.
    """
    lifetimes = sorted(program.lifetimes.items(), key=lambda item: (item[1][0], item[0]))
    sizes = [aligned(program.tensors[number].bytes, ALIGNMENT) for number, _ in lifetimes]
    offsets = best_fit(sizes, [span[0] for _, span in lifetimes], [span[1] for _, span in lifetimes])
    buffers = tuple(
        [
            Buffer(
                program.tensors[number].name, kind_of(program, number), size, birth, death, offset, (number,)
            )
            for (number, (birth, death)), size, offset in zip(lifetimes, sizes, offsets, strict=True)
        ]
    )
    return Layout(buffers, highest_end(sizes, offsets))


def best_fit(sizes: Sequence[int], births: Sequence[int], deaths: Sequence[int]) -> list[int]:
    """Offsets in bytes of buffers in the order of their births, each in the smallest gap that holds it."""
    living: list[tuple[int, int, int]] = []
    offsets = []
    for size, birth, death in zip(sizes, births, deaths, strict=True):
        living = [place for place in living if place[2] >= birth]
        offset = _smallest_gap(living, size)
        offsets.append(offset)
        living.append((offset, offset + size, death))
        living.sort()
    return offsets


def _smallest_gap(living: Sequence[tuple[int, int, int]], size: int) -> int:
    """The start of the smallest gap between `living` places, in order, of at least `size`; else their end."""
    best, smallest, end = -1, 0, 0
    for start, stop, _ in living:
        gap = start - end
        if gap >= size and (best < 0 or gap < smallest):
            best, smallest = end, gap
        end = max(end, stop)
    return end if best < 0 else best
