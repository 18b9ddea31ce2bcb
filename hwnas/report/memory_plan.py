"""A memory plan as a static picture: operators from left to right, addresses upwards."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from hwnas.cost.memory import Buffer, MemoryPlan
from hwnas.files import write_whole
from hwnas.report.colours import BLUE, GREEN, GREY, GRID, INK, MUTED, ORANGE, PAPER, SKY, VERMILION
from hwnas.report.pictures import literal
from hwnas.report.text import shorten

DPI, SIZE = 150, (10.0, 5.6)
COLOURS = {
    "input": BLUE,
    "activation": SKY,
    "output": GREEN,
    "scratch": ORANGE,
    "im2col": ORANGE,
    "kernel": VERMILION,
    "runtime's records": GREY,
}
_LISTED, _NAME = 6, 34
_KB = 1024


class _Box(NamedTuple):
    """Part of a buffer's life: operators (both inclusive) and bytes."""

    kind: str
    first: int
    last: int
    start: int
    size: int


def draw_memory_plan(plan: MemoryPlan, path: Path | str) -> None:
    """Draw the plan as a PNG; a file of that name is replaced at once, never half.

    Buffers that are alive at the peak are numbered and listed. A plan that places nothing (`liveness`) is
    drawn as piles of what is alive at each operator. kB is 1024 bytes.

    Raises:
        OSError: the folder is missing or cannot be written.
    """
    figure = Figure(figsize=SIZE, dpi=DPI, facecolor=PAPER)
    figure.set_layout_engine("constrained", h_pad=0.1, w_pad=0.1)
    FigureCanvasAgg(figure)
    place = figure.subplots()
    _draw_boxes(place, list(_boxes(plan)))
    _mark_peak(place, plan)
    _dress(place, plan)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=DPI)
    write_whole(Path(path), stream.getvalue())


def _boxes(plan: MemoryPlan) -> Iterator[_Box]:
    if _is_placed(plan):
        for buffer in plan.buffers:
            yield _Box(buffer.kind, buffer.birth, buffer.death, buffer.offset or 0, buffer.size)
    else:
        for position in range(_last(plan) + 1):
            for buffer, start in _pile(plan, position).items():
                yield _Box(buffer.kind, position, position, start, buffer.size)
    if plan.persistent_bytes:
        yield _Box("runtime's records", 0, _last(plan), plan.planned_bytes, plan.persistent_bytes)


def _is_placed(plan: MemoryPlan) -> bool:
    return all(buffer.offset is not None for buffer in plan.buffers)


def _pile(plan: MemoryPlan, position: int) -> dict[Buffer, int]:
    """Where each buffer that is alive at an operator starts, if they are piled up in their order."""
    starts: dict[Buffer, int] = {}
    height = 0
    for buffer in plan.buffers:
        if buffer.birth <= position <= buffer.death:
            starts[buffer] = height
            height += buffer.size
    return starts


def _last(plan: MemoryPlan) -> int:
    return max(0, len(plan.program.operators) - 1)


def _draw_boxes(place: Axes, boxes: list[_Box]) -> None:
    for box in boxes:
        corner = (box.first - 0.5, box.start / _KB)
        place.add_patch(
            Rectangle(
                corner,
                box.last - box.first + 1,
                box.size / _KB,
                facecolor=COLOURS[box.kind],
                edgecolor=PAPER,
                lw=0.6,
                zorder=2,
            )
        )
    kinds = [kind for kind in COLOURS if any(box.kind == kind for box in boxes)]
    handles = [Rectangle((0, 0), 1, 1, facecolor=COLOURS[kind]) for kind in kinds]
    place.legend(
        handles, kinds, loc="upper left", bbox_to_anchor=(0, -0.13), ncols=len(kinds), frameon=False,
        fontsize=9.5, labelcolor=INK, borderaxespad=0, handlelength=1.2,
    )  # fmt: skip


def _mark_peak(place: Axes, plan: MemoryPlan) -> None:
    """A line at the operator of the peak, and what is alive there, numbered from the largest on."""
    operator = plan.peak_operator
    if operator is None:
        return
    position = plan.program.operators.index(operator)
    place.axvline(position, color=INK, lw=1, ls=(0, (4, 3)), zorder=3)
    starts = _pile(plan, position)
    lines = [f"at the peak, {literal(shorten(operator.name, _NAME))}:"]
    for number, buffer in enumerate(plan.at_peak[:_LISTED], start=1):
        start = starts[buffer] if buffer.offset is None else buffer.offset
        lines.append(f"{number}  {literal(shorten(buffer.name, _NAME))}, {_kb(buffer.size)}")
        place.text(
            position, (start + buffer.size / 2) / _KB, str(number), ha="center", va="center", fontsize=8,
            color=INK, zorder=5, bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1.2, "alpha": 0.85},
        )  # fmt: skip
    if len(plan.at_peak) > _LISTED:
        lines.append(f"and {len(plan.at_peak) - _LISTED} more")
    place.text(
        1.015, 1, "\n".join(lines), transform=place.transAxes, ha="left", va="top", fontsize=9, color=INK,
        linespacing=1.5,
    )  # fmt: skip


def _dress(place: Axes, plan: MemoryPlan) -> None:
    title = f"Memory of {plan.runtime}: {_kb(plan.total_bytes)}"
    if plan.persistent_bytes:
        title += f" ({_kb(plan.planned_bytes)} planned, {_kb(plan.persistent_bytes)} of records"
        title += f"; {_kb(plan.sram_bytes)} with its margin)" if plan.margin_bytes else ")"
    place.set_title(title, fontsize=11.5, color=INK, loc="left", pad=12)
    place.set_xlabel("operator", color=INK)
    what = "address" if _is_placed(plan) else "alive"
    place.set_ylabel(f"{what} (kB of 1024 bytes)", color=INK)
    first = min([buffer.birth for buffer in plan.buffers], default=0)
    place.set_xlim(first - 0.5, _last(plan) + 0.5)
    place.set_ylim(0, max(1, plan.total_bytes) / _KB * 1.04)
    place.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    place.grid(axis="y", color=GRID, zorder=0)
    place.set_axisbelow(True)
    place.tick_params(colors=MUTED)
    for side in ("top", "right"):
        place.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        place.spines[side].set_color(GREY)


def _kb(size: int) -> str:
    return f"{size / _KB:.1f} kB"
