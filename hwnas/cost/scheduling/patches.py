"""Patch-based inference: the first operators run patch by patch, so that no large map is ever whole.

Lin et al., "MCUNetV2: Memory-Efficient Patch-based Inference for Tiny Deep Learning", NeurIPS 2021. The
input is read in patches; neighbouring patches overlap by the receptive field (the halo), which is computed
again for each.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

from hwnas.cost.memory import MemoryPlan, plan
from hwnas.cost.scheduling.halo import Range, needed_ranges
from hwnas.cost.scheduling.macs import operator_macs
from hwnas.cost.scheduling.patch_bound import held_bytes, least_peak
from hwnas.cost.scheduling.stage import Stage
from hwnas.network.network import Network
from hwnas.network.program import Program, UnsupportedOperatorError
from hwnas.network.program.lower import lower
from hwnas.network.program.pads import fuse_pads

MOST_PATCHES = 4

# Whether a runtime holds only what lies inside the maps, and whether it keeps the map that the patches make
# to the end of the program.
_CLIPS = {"tinyengine": False, "liveness": True}
_KEEPS = {"tinyengine": True, "liveness": False}


@dataclass(frozen=True)
class PatchPlan:
    """Memory and work of a network whose first operators run in patches.

    Attributes:
        runtime: whose planner it is.
        split: how many operators run in patches.
        patches: (rows, columns) of patches.
        patch_input: height, width and channels of the largest patch of the input.
        patch_bytes: the most that is held at once while patches are executed, with the map that they make.
        rest_bytes: the most that is held at once by the operators after them.
        peak_bytes: planned bytes of the whole: the larger of both, and what the planner cannot fill.
        overhead: multiply-accumulates done more than once, as a fraction of the network's; what nothing reads
            is left out, so that it can be a little below 0.
    """

    runtime: str
    split: int
    patches: tuple[int, int]
    patch_input: tuple[int, int, int]
    patch_bytes: int
    rest_bytes: int
    peak_bytes: int
    overhead: float


def splits(source: Network | Program) -> tuple[int, ...]:
    """The numbers of first operators that patches are possible for, under TinyEngine's padding.

    They leave a single map live, and compute it by windows and pixel by pixel from a single input.
    """
    return _splits(_program(source))


def patch_plan(
    source: Network | Program, split: int, patches: tuple[int, int], runtime: str = "tinyengine"
) -> PatchPlan:
    """The plan with the first `split` operators in `patches` = (rows, columns).

    TinyEngine gives every patch the size of one inside the image and holds what lies beyond the border as
    padding (its kernels compute that too, which `overhead` leaves out), and its generator keeps the map that
    the patches make to the end; `liveness` holds and computes only what lies inside, and as long as it is
    needed. A single patch is the ordinary plan.

    Raises:
        UnsupportedOperatorError: one of the operators cannot be executed in patches.
        ValueError: a runtime without patches; a split that does not leave a single map; more patches than
            rows or columns.
    """
    _check_runtime(runtime)
    program = _program(source)
    target = _target(program, split)
    _, height, width, _ = program.tensors[target].shape
    if not (1 <= patches[0] <= height and 1 <= patches[1] <= width):
        raise ValueError(f"a map of {height}×{width} cannot be made in {patches[0]}×{patches[1]} patches")
    found = _planned(_stage(program, split, target, *patches, runtime), runtime)
    assert found is not None
    return found


def best_patch_plan(
    source: Network | Program,
    runtime: str = "tinyengine",
    *,
    most_patches: int = MOST_PATCHES,
    max_overhead: float | None = None,
) -> PatchPlan:
    """The plan with the least peak, of all splits and of 1 to `most_patches` patches in each direction.

    Of equal peaks the one with the least `overhead`; none with more than `max_overhead`. A network that no
    split is possible for has one patch: its ordinary plan.

    Raises:
        ValueError: a runtime without patches; a negative `max_overhead`.
    """
    _check_runtime(runtime)
    if max_overhead is not None and not max_overhead >= 0:
        raise ValueError(f"max_overhead is a fraction of the network's work, not {max_overhead}")
    program = _program(source)
    best = _whole(program, runtime)
    finest = [_finest(program, split, most_patches, runtime) for split in _splits(program)]
    bounds = [least_peak(stage, runtime) for stage in finest]
    for least, stage in sorted(zip(bounds, finest, strict=True), key=lambda pair: pair[0]):
        if least > best.peak_bytes or (least == best.peak_bytes and best.overhead <= 0):
            break
        for rows, columns in product(range(1, stage.rows + 1), range(1, stage.columns + 1)):
            coarser = replace(stage, rows=rows, columns=columns)
            found = _planned(coarser, runtime, best.peak_bytes) if rows * columns > 1 else None
            if found is None or (max_overhead is not None and found.overhead > max_overhead):
                continue
            if (found.peak_bytes, found.overhead) < (best.peak_bytes, best.overhead):
                best = found
    return best


def _finest(program: Program, split: int, most_patches: int, runtime: str) -> Stage:
    target = _target(program, split)
    _, height, width, _ = program.tensors[target].shape
    return _stage(program, split, target, min(most_patches, height), min(most_patches, width), runtime)


def _check_runtime(runtime: str) -> None:
    if runtime not in _CLIPS:
        raise ValueError(f"runtime {runtime!r} runs no patches; those that do: {', '.join(_CLIPS)}")


def _stage(program: Program, split: int, target: int, rows: int, columns: int, runtime: str) -> Stage:
    return Stage(program, split, target, rows, columns, clip=_CLIPS[runtime], keep=_KEEPS[runtime])


def _program(source: Network | Program) -> Program:
    return fuse_pads(source if isinstance(source, Program) else lower(source, fused_pad=True))


def _splits(program: Program) -> tuple[int, ...]:
    return tuple([split for split in range(1, len(program.operators)) if _is_split(program, split)])


def _target(program: Program, split: int) -> int:
    """The only map that is live after `split` operators."""
    if not 0 < split < len(program.operators):
        raise ValueError(
            f"split {split} must be from 1 to {len(program.operators) - 1}, before the last operator"
        )
    live = _live_after(program, split)
    if len(live) != 1 or live[0] in program.inputs or len(program.inputs) != 1:
        names = ", ".join(program.tensors[number].name for number in live)
        raise ValueError(f"after {split} operators {names} are live; a split needs one map, and one input")
    if len(program.tensors[live[0]].shape) != 4:
        raise ValueError(f"after {split} operators the live tensor {program.tensors[live[0]].name} is no map")
    return live[0]


def _live_after(program: Program, split: int) -> list[int]:
    return [number for number, (birth, death) in program.lifetimes.items() if birth < split <= death]


def _is_split(program: Program, split: int) -> bool:
    try:
        target = _target(program, split)
        for axis in (0, 1):
            needed_ranges(program, program.operators[:split], target, Range(0, 1), axis, clip=True)
    except (UnsupportedOperatorError, ValueError):
        return False
    return max(program.tensors[target].shape[1:3]) > 1


def _overhead(stage: Stage) -> float:
    total = sum(operator_macs(stage.program, operator) for operator in stage.program.operators)
    return (stage.macs - stage.whole_macs) / total if total else 0.0


def _whole(program: Program, runtime: str) -> PatchPlan:
    """The ordinary plan."""
    planned = plan(program, runtime)
    shape = program.tensors[program.inputs[0]].shape if program.inputs else ()
    height, width, channels = shape[1:] if len(shape) == 4 else (1, 1, shape[-1] if shape else 0)
    held = held_bytes(planned, 0, len(program.operators))
    return PatchPlan(runtime, 0, (1, 1), (height, width, channels), 0, held, planned.planned_bytes, 0.0)


def _planned(stage: Stage, runtime: str, most: int | None = None) -> PatchPlan | None:
    """The plan of `stage`; None where its peak is above `most` bytes."""
    program, source = stage.program, stage.program.inputs[0]
    if (stage.rows, stage.columns) == (1, 1):
        planned = plan(program, runtime)
        patched = held_bytes(planned, 0, stage.split)
        rest = held_bytes(planned, stage.split, len(program.operators))
        return replace(_whole(program, runtime), split=stage.split, patch_bytes=patched, rest_bytes=rest)
    sizes = list(stage.largest())
    plans: list[MemoryPlan] = []
    for heights, widths in sizes:
        plans.append(plan(stage.patched(heights, widths), runtime))
        if most is not None and plans[-1].planned_bytes > most:
            return None
    height, width = max(h[source] for h, _ in sizes), max(w[source] for _, w in sizes)
    return PatchPlan(
        runtime,
        stage.split,
        (stage.rows, stage.columns),
        (height, width, program.tensors[source].shape[-1]),
        max(held_bytes(one, 0, stage.split) for one in plans),
        max(held_bytes(one, stage.split, len(program.operators)) for one in plans),
        max(one.planned_bytes for one in plans),
        _overhead(stage),
    )
