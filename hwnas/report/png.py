"""The report's four plots as one static picture."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import offset_copy

from hwnas.files import write_whole
from hwnas.report import derived
from hwnas.report.budgets import budgets, draw_budgets
from hwnas.report.colours import BLUE, GREEN, GREY, GRID, INK, MUTED, ORANGE, SKY, VERMILION
from hwnas.report.derived import FAILED, FEASIBLE, INFEASIBLE, Axis
from hwnas.report.figures import STATE_COLOURS
from hwnas.report.headline import headline
from hwnas.report.pictures import literal
from hwnas.report.text import label, quantity, shorten, unbroken, wrapped
from hwnas.search.records import RunRecord

WIDTH, HEIGHT, DPI = 1600, 1200, 100
_SMALL, _TEXT, _TITLE = 11, 13, 17
_MOST_BLOCKS = 32
_MOSAIC: Any = [["scatter", "best"], ["scatter", "counts"], ["agreement", "blocks"]]
_LEGEND_DROP = 42


def write_png(record: RunRecord, path: Path | str) -> None:
    """Write the picture, 1600 x 1200 pixels; a file of that name is replaced at once, never half.

    Raises:
        OSError: the folder is missing or cannot be written.
    """
    figure = Figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI, facecolor="white")
    figure.set_layout_engine("constrained", h_pad=0.1, w_pad=0.12, hspace=0.03, wspace=0.03)
    FigureCanvasAgg(figure)
    figure.suptitle(
        "\n".join(wrapped(literal(unbroken(headline(record))), 100)),
        fontsize=_TITLE,
        color=INK,
        weight="bold",
    )
    panels = figure.subplot_mosaic(_MOSAIC, height_ratios=(0.72, 0.28, 1))
    _scatter(panels["scatter"], record)
    _progress(panels["best"], panels["counts"], record)
    _agreement(panels["agreement"], record)
    _blocks(panels["blocks"], record)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=DPI)
    write_whole(Path(path), stream.getvalue())


def _scatter(panel: Axes, record: RunRecord) -> None:
    cost, score, points = derived.cost_axis(record), derived.score_axis(record), derived.cloud(record)
    title = f"{label(score.metric.name)} against {label(cost.metric.name) if cost else 'cost'}"
    _dress(panel, title, cost.title if cost else "", score.title)
    if cost is None or not (np.isfinite(points.cost).any() or record.candidates):
        _empty(panel, "no trial has a cost and a score")
        return
    _trials(panel, points)
    front = derived.front(points)
    if len(front):
        panel.plot(
            points.cost[front],
            points.score[front],
            drawstyle="steps-post",
            color=GREEN,
            lw=2.2,
            label="Pareto front",
        )
    bound = record.bounds.get(cost.metric.name)
    if bound is not None and np.isfinite(cost.drawn(bound)):
        said = f"budget {literal(quantity(bound, cost.metric))}"
        panel.axvline(cost.drawn(bound), color=VERMILION, ls="--", lw=1.8, label=said)
    _candidates(panel, record, cost, score)
    if derived.wants_log(points.cost):
        panel.set_xscale("log")
    if derived.wants_log(points.score):
        panel.set_yscale("log")
    _legend(panel)


def _trials(panel: Axes, points: derived.Cloud) -> None:
    for state, marker, colour in ((INFEASIBLE, "x", ORANGE), (FEASIBLE, "o", BLUE)):
        chosen = points.where(state)
        if chosen.any():
            panel.scatter(
                points.cost[chosen],
                points.score[chosen],
                s=26,
                alpha=0.6,
                lw=1.2,
                marker=marker,
                color=colour,
                label=f"{state} trial",
            )
    unscored = points.unscored()
    if unscored.any():
        panel.plot(
            points.cost[unscored],
            np.full(int(unscored.sum()), 0.015),
            "|",
            color=ORANGE,
            ms=9,
            transform=panel.get_xaxis_transform(),
            label="trial without a score",
        )


def _candidates(panel: Axes, record: RunRecord, cost: Axis, score: Axis) -> None:
    values = [[a.drawn(derived.known(c, a.metric.name)) for a in (cost, score)] for c in record.candidates]
    others = [value for i, value in enumerate(values) if i != record.winner and np.isfinite(value).all()]
    if others:
        x, y = np.transpose(others)
        panel.scatter(x, y, marker="D", s=52, c="white", ec=INK, lw=1.7, label="verified candidate", zorder=4)
    if record.winner is not None and np.isfinite(values[record.winner]).all():
        x, y = values[record.winner]
        panel.scatter([x], [y], marker="*", s=330, c=VERMILION, ec=INK, lw=1.2, label="winner", zorder=5)


def _progress(panel: Axes, lower: Axes, record: RunRecord) -> None:
    score, points = derived.score_axis(record), derived.cloud(record)
    _dress(panel, "progress of the search", "trial", score.title)
    if not record.trials:
        _empty(panel, "no trials")
        lower.set_visible(False)
        return
    _dress(lower, "", "trial", "trials")
    edges, groups = derived.counts(points)
    shown = [state for state in groups if groups[state].any()]
    bottom = np.zeros(len(edges) - 1)
    for state in shown:
        hatch = "//" if state == FAILED else None
        middles, width = (edges[:-1] + edges[1:]) / 2, 0.9 * np.diff(edges)
        lower.bar(middles, groups[state], width, bottom, color=STATE_COLOURS[state], hatch=hatch, label=state)
        bottom += groups[state]
    lower.set_xlim(edges[0], edges[-1])
    lower.xaxis.set_major_locator(MaxNLocator(integer=True))
    lower.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    _best(panel, points, score, (float(edges[0]), float(edges[-1])))
    _legend(lower, panel)


def _best(panel: Axes, points: derived.Cloud, score: Axis, limits: tuple[float, float]) -> None:
    feasible = (points.state == FEASIBLE) & np.isfinite(points.score)
    panel.set_xlim(*limits)
    panel.set_xlabel("")
    panel.tick_params(labelbottom=False, bottom=False)
    if not feasible.any():
        panel.text(
            0.5, 0.6, "no feasible trial", transform=panel.transAxes, ha="center", fontsize=_TEXT, color=MUTED
        )
        return
    panel.scatter(
        points.number[feasible], points.score[feasible], s=14, alpha=0.45, color=BLUE, label="feasible trial"
    )
    best = derived.best_so_far(points)
    panel.plot(points.number, best, drawstyle="steps-post", color=INK, lw=2.2, label="best so far")
    if derived.wants_log(points.score[feasible]):
        panel.set_yscale("log")


def _agreement(panel: Axes, record: RunRecord) -> None:
    found = derived.comparison(record)
    used = budgets(record)
    if not found.position and used:
        _dress(panel, "what the candidates use of the budgets", "share of the budget (%)", "")
        draw_budgets(panel, used, record.winner)
        _legend(panel)
        return
    _dress(panel, "candidates: predicted and measured", "predicted latency (ms)", "measured latency (ms)")
    if not found.position:
        _empty(panel, "no candidate has a predicted and a measured latency")
        return
    both = np.concatenate([found.predicted, found.measured])
    line = np.array([0.9 * both.min(), 1.1 * both.max()])
    for width, strength in ((0.10, 0.2), (0.05, 0.38)):
        said = f"± {100 * width:.0f} %"
        panel.fill_between(
            line, line * (1 - width), line * (1 + width), color=SKY, alpha=strength, lw=0, label=said
        )
    panel.plot(line, line, color=MUTED, lw=1.5, label="measured = predicted")
    for rank, k in enumerate(np.argsort(found.predicted, kind="stable")):
        _numbered(panel, found, int(k), record.winner, above=rank % 2 == 0)
    panel.set_xlim(line[0], line[1])
    panel.set_ylim(line[0], line[1])
    _legend(panel)


def _numbered(panel: Axes, found: derived.Comparison, k: int, winner: int | None, above: bool) -> None:
    x, y, won = found.predicted[k], found.measured[k], found.position[k] == winner
    marker, size, colour = ("*", 330, VERMILION) if won else ("D", 52, "white")
    panel.scatter([x], [y], marker=marker, s=size, c=colour, ec=INK, lw=1.4, zorder=4)
    panel.annotate(
        f"#{found.position[k] + 1}",
        (x, y),
        (-9, 7) if above else (9, -7),
        textcoords="offset points",
        ha="right" if above else "left",
        va="bottom" if above else "top",
        fontsize=_SMALL,
        color=INK,
        zorder=6,
    )


def _blocks(panel: Axes, record: RunRecord) -> None:
    candidate = derived.answer(record)
    which = "winning network, " if record.winner is not None else "nearest network, "
    _dress(panel, f"{which if candidate else ''}block by block", "share of the network (%)", "")
    if candidate is None or not candidate.blocks:
        _empty(panel, "no blocks were recorded")
        return
    parts = {
        "share of the latency": (derived.shares(b.latency_ms for b in candidate.blocks), BLUE, -0.2),
        "share of the MACs": (derived.shares(b.macs for b in candidate.blocks), SKY, 0.2),
    }
    chosen = _largest([values for values, _, _ in parts.values()])
    rows = np.arange(len(chosen))
    for name, (values, colour, shift) in parts.items():
        if np.isfinite(values).any():
            panel.barh(rows + shift, 100 * np.nan_to_num(values[chosen]), 0.4, color=colour, label=name)
    names = [literal(shorten(candidate.blocks[i].name, 24)) for i in chosen]
    panel.set_yticks(rows, names, fontsize=_SMALL if len(rows) <= 22 else 9)
    panel.set_ylim(len(rows) - 0.4, -0.6)
    panel.grid(False, axis="y")
    if len(chosen) < len(candidate.blocks):
        panel.set_title(f"The {len(chosen)} largest of {len(candidate.blocks)} blocks", **_title_style())
    _legend(panel)


def _largest(shares: list[np.ndarray[tuple[int, ...], np.dtype[np.float64]]]) -> list[int]:
    """Positions, in order, of the blocks that there is room for."""
    first = next((values for values in shares if np.isfinite(values).any()), shares[0])
    order = np.argsort(-np.nan_to_num(first), kind="stable")
    return sorted(int(i) for i in order[:_MOST_BLOCKS])


def _dress(panel: Axes, title: str, x: str, y: str) -> None:
    if title:
        panel.set_title(literal(shorten(title[0].upper() + title[1:], 60)), **_title_style())
    panel.set_xlabel(literal(shorten(x, 60)), fontsize=_TEXT, color=INK)
    panel.set_ylabel(literal(shorten(y, 40)), fontsize=_TEXT, color=INK)
    panel.tick_params(labelsize=_SMALL, colors=INK)
    panel.grid(True, color=GRID, lw=0.8)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
    panel.spines[["left", "bottom"]].set_color(GREY)


def _title_style() -> dict[str, Any]:
    return {"fontsize": _TEXT + 1, "color": INK, "weight": "bold", "loc": "left"}


def _empty(panel: Axes, text: str) -> None:
    panel.set_xticks([])
    panel.set_yticks([])
    panel.text(
        0.5, 0.5, text, transform=panel.transAxes, ha="center", va="center", fontsize=_TEXT, color=MUTED
    )


def _legend(panel: Axes, *others: Axes) -> None:
    """Below the panel, where it covers nothing; with the entries of other panels first."""
    found = [other.get_legend_handles_labels() for other in (*others, panel)]
    handles = [handle for part, _ in found for handle in part]
    names = [name for _, part in found for name in part]
    if handles:
        place = offset_copy(panel.transAxes, panel.get_figure(root=True), y=-_LEGEND_DROP, units="points")
        panel.legend(
            handles,
            names,
            loc="upper center",
            bbox_to_anchor=(0.5, 0),
            bbox_transform=place,
            fontsize=_SMALL,
            ncols=4,
            frameon=False,
            markerscale=0.7,
        )
