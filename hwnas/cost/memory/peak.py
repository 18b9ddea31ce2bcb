"""The memory of networks by the thousand: what `plan` gives, out of what is known of each block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hwnas.cost.memory.buffers import Buffer
from hwnas.cost.memory.first_fit import first_fit, highest_end
from hwnas.cost.memory.persistent import Tail, tail_bytes
from hwnas.cost.memory.plan import plan
from hwnas.cost.memory.runtimes import Runtime, get_runtime
from hwnas.network.network import Block, Network
from hwnas.network.program import UnsupportedOperatorError, lower
from hwnas.network.program.apart import separate_blocks

_KNOWN = "_hwnas_memory_parts"


def peak_sram_bytes(network: Network, runtime: str | Runtime, *, most: int | None = None) -> int:
    """The SRAM that an int8 inference needs, margin included: `plan(network, runtime).sram_bytes`.

    Where the blocks of the network can be looked at apart, it is put together from theirs, which are
    remembered. Where it is more than `most`, the answer may be too small, but is more than `most`: one block
    that needs more by itself is enough to know that.

    Raises:
        ValueError: no such runtime.
        UnsupportedOperatorError: the runtime lacks an operator; the message names it.
    """
    runtime = get_runtime(runtime)
    blocks = separate_blocks(network) if runtime.order else None
    parts = _parts(network, blocks, runtime) if blocks else None
    if blocks is None or parts is None:
        return plan(network, runtime).sram_bytes
    if most is not None:
        least = max([part.least for part in parts])
        if least > most:
            return least
    return _peak(network, blocks, parts, runtime)


class _Local(NamedTuple):
    """A buffer of a block: bytes, and positions of operators in the block."""

    size: int
    birth: int
    death: int


class _Part(NamedTuple):
    """What is known of a block.

    Attributes:
        operators: how many there are.
        inputs: the buffer of each input.
        overwritten: the inputs in whose memory something else is put.
        tensors: the buffers of the other tensors, in the order of their numbers.
        outputs: which of `tensors` each output is.
        scratch: what kernels need for one operator each.
        throughout: by kind, what a buffer that all operators share must hold.
        tail: what the runtime's own records depend on; its tensors are without the inputs.
        least: bytes that any network with the block needs.
    """

    operators: int
    inputs: tuple[_Local, ...]
    overwritten: tuple[int, ...]
    tensors: tuple[_Local, ...]
    outputs: tuple[int, ...]
    scratch: tuple[_Local, ...]
    throughout: dict[str, int]
    tail: Tail | None
    least: int


def _parts(network: Network, blocks: Sequence[Block], runtime: Runtime) -> list[_Part] | None:
    """The parts of the blocks; None where one overwrites a value that is read later, or has no part."""
    parts: list[_Part] = []
    overwritten: list[str] = []
    for block in blocks:
        part = _part(block.network, runtime)
        if part is None:
            return None
        parts.append(part)
        overwritten += [block.inputs[position] for position in part.overwritten]
    given = {value.name for value in network.outputs}
    for name in overwritten:
        if name in given or sum([block.inputs.count(name) for block in blocks]) > 1:
            return None
    return parts


def _part(block: Network, runtime: Runtime) -> _Part | None:
    """The part of a block, remembered with it; None where it cannot be looked at alone."""
    known: dict[str, _Part | None] = block.__dict__.setdefault(_KNOWN, {})
    if runtime.name not in known:
        known[runtime.name] = _find_part(block, runtime)
    return known[runtime.name]


def _find_part(block: Network, runtime: Runtime) -> _Part | None:
    """None where the runtime lacks an operator alone, or an input shares its memory with an output."""
    try:
        program = lower(block, fused_pad=runtime.fuses_pads)
        buffers = runtime.layout(program).buffers
    except UnsupportedOperatorError:
        return None
    if not set().union(*(buffer.tensors for buffer in buffers)).issuperset(program.outputs):
        return None
    of_tensors = [buffer for buffer in buffers if buffer.tensors]
    inputs = [_holding(of_tensors, number) for number in program.inputs]
    others = [buffer for buffer in of_tensors if buffer not in inputs]
    if any(_holding(of_tensors, number) not in others for number in program.outputs):
        return None
    tail = runtime.tail(program) if runtime.tail else None
    return _Part(
        len(program.operators),
        tuple([_local(buffer) for buffer in inputs]),
        tuple([position for position, buffer in enumerate(inputs) if len(buffer.tensors) > 1]),
        tuple([_local(buffer) for buffer in others]),
        tuple([others.index(_holding(of_tensors, number)) for number in program.outputs]),
        tuple([_local(buffer) for buffer in buffers if buffer.kind == "scratch"]),
        {b.kind: b.size for b in buffers if not b.tensors and b.kind != "scratch"},
        tail._replace(tensors=tail.tensors - len(program.inputs)) if tail else None,
        _least(buffers),
    )


def _least(buffers: Sequence[Buffer]) -> int:
    """Bytes of the buffers that live at the fullest step."""
    births = {buffer.birth for buffer in buffers}
    return max([sum([b.size for b in buffers if b.birth <= step <= b.death]) for step in births])


def _holding(buffers: Sequence[Buffer], number: int) -> Buffer:
    return next(buffer for buffer in buffers if number in buffer.tensors)


def _local(buffer: Buffer) -> _Local:
    return _Local(buffer.size, buffer.birth, buffer.death)


def _peak(network: Network, blocks: Sequence[Block], parts: Sequence[_Part], runtime: Runtime) -> int:
    sizes: list[int] = []
    births: list[int] = []
    deaths: list[int] = []
    at: dict[str, int] = {}
    start = 0
    for value in network.inputs:
        at[value.name] = len(sizes)
        sizes.append(0)
        births.append(0)
        deaths.append(0)
    for block, part in zip(blocks, parts, strict=True):
        for name, (size, _, death) in zip(block.inputs, part.inputs, strict=True):
            buffer = at[name]
            sizes[buffer] = max(sizes[buffer], size)
            deaths[buffer] = start + death
        for output, index in zip(block.outputs, part.outputs, strict=True):
            at[output.name] = len(sizes) + index
        sizes += [size for size, _, _ in part.tensors]
        births += [start + birth for _, birth, _ in part.tensors]
        deaths += [start + death for _, _, death in part.tensors]
        start += part.operators
    for value in network.outputs:
        deaths[at[value.name]] = start - 1
    _add_scratch(parts, sizes, births, deaths)
    assert runtime.order is not None
    planned = highest_end(sizes, first_fit(sizes, births, deaths, runtime.order(sizes)))
    for kind in {kind for part in parts for kind in part.throughout}:
        planned += max([part.throughout.get(kind, 0) for part in parts])
    persistent = _persistent(network, parts, runtime)
    return planned + persistent + runtime.margin(planned + persistent)


def _add_scratch(parts: Sequence[_Part], sizes: list[int], births: list[int], deaths: list[int]) -> None:
    start = 0
    for part in parts:
        if part.scratch:
            sizes += [size for size, _, _ in part.scratch]
            births += [start + birth for _, birth, _ in part.scratch]
            deaths += [start + death for _, _, death in part.scratch]
        start += part.operators


def _persistent(network: Network, parts: Sequence[_Part], runtime: Runtime) -> int:
    tails = [part.tail for part in parts if part.tail]
    if not runtime.records or not tails:
        return 0
    tail = Tail(
        len(network.inputs) + sum([tail.tensors for tail in tails]),
        tuple([kind for tail in tails for kind in tail.kinds]),
        tuple([channels for tail in tails for channels in tail.channels]),
        sum([tail.requests for tail in tails]),
    )
    return tail_bytes(tail, [1] * len(network.inputs), [1] * len(network.outputs), runtime.records)
