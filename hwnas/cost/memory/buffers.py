"""Buffers: the pieces of memory that a plan places."""

from __future__ import annotations

from typing import NamedTuple

from hwnas.network.program import Program


class Buffer(NamedTuple):
    """A piece of memory and when it is held.

    Attributes:
        name: of the tensor that it holds (the first of them), or of the operator that needs it.
        kind: `input`, `output` or `activation`; `scratch`, `im2col` or `kernel` of a kernel's own needs.
        size: bytes that it takes, as the runtime rounds them up.
        birth: position of the first operator that it is held at; -1 for an input that nothing reads and
            that the runtime gives up before the first operator.
        death: position of the last operator that it is held at.
        offset: bytes from the start of the memory; None where nothing is placed.
        tensors: numbers of the tensors that it holds, one after the other; none where it is no tensor's.
    """

    name: str
    kind: str
    size: int
    birth: int
    death: int
    offset: int | None = None
    tensors: tuple[int, ...] = ()


class Layout(NamedTuple):
    """Where a runtime puts its buffers, and how many bytes that takes."""

    buffers: tuple[Buffer, ...]
    planned_bytes: int


def kind_of(program: Program, number: int) -> str:
    """The kind of the buffer of a tensor."""
    if number in program.inputs:
        return "input"
    return "output" if number in program.outputs else "activation"


def aligned(size: int, alignment: int) -> int:
    """`size` rounded up to a multiple of `alignment`."""
    return -(-size // alignment) * alignment
