"""Memory of a network on a microcontroller, for `hwnas count`: contents for machines, lines for people."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hwnas.cli.output import console, print_table
from hwnas.cli.targets import Target
from hwnas.cost import Limits, plan
from hwnas.cost.flash import FORMATS, Flash, flash
from hwnas.cost.memory import MemoryPlan
from hwnas.network.program import Program, lower
from hwnas.objectives import format_quantity

SHOWN = 8


@dataclass(frozen=True)
class MemoryQuestion:
    """What is asked about the memory.

    Attributes:
        runtime: of the microcontroller.
        limits: what the network must keep to.
        float_input: whether inputs are float32 and quantised by the program.
        order: whether a better order of execution is looked for.
        patches: whether execution in patches is looked for.
        picture: where the plan is drawn, if anywhere.
    """

    runtime: str
    limits: Limits
    float_input: bool = False
    order: bool = False
    patches: bool = False
    picture: Path | None = None


@dataclass(frozen=True)
class MemoryAnswer:
    """The plan and the flash, and what was asked beside."""

    question: MemoryQuestion
    plan: MemoryPlan
    flash: Flash | None
    extras: dict[str, Any]

    def fits(self) -> dict[str, bool]:
        """Whether each limit is kept."""
        limits = self.question.limits
        found = {}
        if limits.sram_bytes is not None:
            found["sram"] = self.plan.sram_bytes <= limits.sram_bytes
        if limits.flash_bytes is not None and self.flash is not None:
            found["flash"] = self.flash.total_bytes <= limits.flash_bytes
        return found

    def content(self) -> dict[str, Any]:
        """For machines; bytes."""
        made = self.plan
        return {
            "runtime": made.runtime,
            "sram_bytes": made.sram_bytes,
            "planned_bytes": made.planned_bytes,
            "persistent_bytes": made.persistent_bytes,
            "margin_bytes": made.margin_bytes,
            "peak_operator": made.peak_operator.name if made.peak_operator else None,
            "at_peak": [buffer._asdict() for buffer in made.at_peak],
            "flash": {**asdict(self.flash), "total_bytes": self.flash.total_bytes} if self.flash else None,
            "limits": asdict(self.question.limits),
            "fits": self.fits(),
            **self.extras,
        }


def memory_answer(found: Target, question: MemoryQuestion) -> MemoryAnswer:
    """The answer for a network; raises ValueError where the runtime lacks an operator."""
    from hwnas.cost.memory import get_runtime

    runtime = get_runtime(question.runtime)
    program = found.program
    if program is None:
        program = lower(found.network, fused_pad=runtime.fuses_pads, float_input=question.float_input)
    elif question.float_input:
        raise ValueError("--float-input is for networks; a .tflite file says itself what its inputs are")
    made = plan(program, runtime)
    extras: dict[str, Any] = {}
    if question.order:
        extras["order"] = _order(program, question.runtime)
    if question.patches:
        extras["patches"] = _patches(program, question.runtime)
    if question.picture is not None:
        from hwnas.report.memory_plan import draw_memory_plan

        draw_memory_plan(made, question.picture)
    return MemoryAnswer(question, made, _flash(found, runtime.name), extras)


def _flash(found: Target, runtime: str) -> Flash | None:
    if runtime not in FORMATS:
        return None
    return flash(found.program or found.network, runtime, tflite_bytes=found.tflite_bytes)


def _order(program: Program, runtime: str) -> dict[str, Any]:
    from hwnas.cost.scheduling.order import best_order

    best = best_order(program, runtime)
    return {
        "before_bytes": best.before_bytes,
        "after_bytes": best.after_bytes,
        "is_exact": best.is_exact,
        "operators": [operator.name for operator in best.program.operators],
    }


def _patches(program: Program, runtime: str) -> dict[str, Any]:
    from hwnas.cost.scheduling.patches import best_patch_plan

    return asdict(best_patch_plan(program, runtime))


def print_memory(answer: MemoryAnswer) -> None:
    """Lines for people; kB is 1024 bytes."""
    made, flashed, limits = answer.plan, answer.flash, answer.question.limits
    console.print()
    rows = [["planned", _bytes(made.planned_bytes)]]
    if made.persistent_bytes:
        rows.append(["persistent", _bytes(made.persistent_bytes)])
    if made.margin_bytes:
        rows.append(["margin", _bytes(made.margin_bytes)])
    rows.append(["SRAM", _bytes(made.sram_bytes)])
    if flashed:
        rows += [[f"flash: {name}", _bytes(value)] for name, value in asdict(flashed).items() if value]
        rows.append(["flash", _bytes(flashed.total_bytes)])
    print_table(["memory", "kB", "bytes"], [[name, *value.split("|")] for name, value in rows], made.runtime)
    _print_peak(made)
    for name, fits in answer.fits().items():
        limit = limits.sram_bytes if name == "sram" else limits.flash_bytes
        assert limit is not None
        _line(f"{name} {'keeps' if fits else 'EXCEEDS'} the limit of {format_quantity(limit, 'bytes')}")
    if limits.flash_bytes is not None and answer.flash is None:
        _line(f"flash is not compared with the board's: {made.runtime} stores nothing")
    if (order := answer.extras.get("order")) is not None:
        proof = "no order needs less" if order["is_exact"] else "the best that was found"
        _line(f"best order of execution: {_kb(order['after_bytes'])} planned, {proof}")
    if (patches := answer.extras.get("patches")) is not None:
        rows_by, columns = patches["patches"]
        _line(
            f"in {rows_by}×{columns} patches up to operator {patches['split']}: {_kb(patches['peak_bytes'])} "
            f"planned, {100 * patches['overhead']:.1f} % more multiply-accumulates"
        )
    if answer.question.picture is not None:
        _line(f"wrote {answer.question.picture}")


def _print_peak(made: MemoryPlan) -> None:
    if made.peak_operator is None:
        return
    held = [f"{buffer.name} {_kb(buffer.size)}" for buffer in made.at_peak[:SHOWN]]
    more = len(made.at_peak) - SHOWN
    _line(f"peak at {made.peak_operator.name}: {', '.join(held)}{f' and {more} more' if more > 0 else ''}")


def _bytes(value: int) -> str:
    return f"{value / 1024:,.1f}|{value:,}"


def _kb(value: int) -> str:
    return f"{value / 1024:.1f} kB"


def _line(text: str) -> None:
    console.print(text, markup=False, soft_wrap=True)
