"""Bytes that no execution in patches needs less than, found without planning it."""

from __future__ import annotations

from hwnas.cost.memory import MemoryPlan, plan
from hwnas.cost.memory.liveness import live_bytes
from hwnas.cost.scheduling.halo import Range, needed_ranges
from hwnas.cost.scheduling.stage import Lengths, Stage
from hwnas.network.program import Program


def least_peak(stage: Stage, runtime: str) -> int:
    """Bytes of the peak of `stage` at least, and of any stage of its split in fewer patches."""
    return max(_least_of_patches(stage), _least_of_rest(stage, runtime))


def held_bytes(planned: MemoryPlan, first: int, last: int) -> int:
    """The most bytes that are held at once from operator `first` to `last` - 1."""
    buffers = [buffer for buffer in planned.buffers if buffer.birth < last and buffer.death >= first]
    births = [max(buffer.birth, first) for buffer in buffers]
    deaths = [min(buffer.death, last - 1) for buffer in buffers]
    return max(live_bytes([buffer.size for buffer in buffers], births, deaths), default=0)


def _least_of_patches(stage: Stage) -> int:
    """The map that the patches make, and what one convolution reads and makes of the first patch.

    The first patch of any coarser division contains that of the finest.
    """
    program = stage.program
    heights, widths = (_first_lengths(stage, axis) for axis in (0, 1))
    sizes = {
        number: height * widths[number] * program.tensors[number].shape[3]
        for number, height in heights.items()
    }
    most = 0
    for operator in program.operators[: stage.split]:
        if operator.kind == "CONV_2D":
            most = max(most, sizes.get(operator.inputs[0], 0) + sizes.get(operator.outputs[0], 0))
    return program.tensors[stage.target].bytes + most


def _first_lengths(stage: Stage, axis: int) -> Lengths:
    count = (stage.rows, stage.columns)[axis]
    first = Range(0, stage.program.tensors[stage.target].shape[1 + axis] // count)
    operators = stage.program.operators[: stage.split]
    ranges = needed_ranges(stage.program, operators, stage.target, first, axis, clip=stage.clip)
    return {number: there.length for number, there in ranges.items()}


def _least_of_rest(stage: Stage, runtime: str) -> int:
    """What the operators after the patches hold by themselves."""
    whole = stage.program
    outputs = whole.outputs
    if stage.keep and stage.target not in outputs:
        outputs = (*outputs, stage.target)
    rest = Program(whole.tensors, whole.operators[stage.split :], (stage.target,), outputs)
    return held_bytes(plan(rest, runtime), 0, len(rest.operators))
