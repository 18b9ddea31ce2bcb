"""The lower bound: what lives at the same time, without any gap between."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from hwnas.cost.memory.buffers import Buffer, Layout, kind_of
from hwnas.network.program import Program


def live_bytes(sizes: Sequence[int], births: Sequence[int], deaths: Sequence[int]) -> list[int]:
    """Bytes alive at each step."""
    change = [0] * (max(deaths, default=-1) + 2)
    for size, birth, death in zip(sizes, births, deaths, strict=True):
        change[birth] += size
        change[death + 1] -= size
    return list(accumulate(change))[:-1]


def liveness(program: Program) -> Layout:
    """Every tensor's bytes from the operator that makes it to the last that reads it; nothing is placed.

    No runtime that runs the operators in this order, one after the other and none in place, needs less.
    """
    lifetimes = sorted(program.lifetimes.items())
    buffers = tuple(
        [
            Buffer(
                program.tensors[number].name,
                kind_of(program, number),
                program.tensors[number].bytes,
                birth,
                death,
                None,
                (number,),
            )
            for number, (birth, death) in lifetimes
        ]
    )
    live = live_bytes([b.size for b in buffers], [b.birth for b in buffers], [b.death for b in buffers])
    return Layout(buffers, max(live, default=0))
