"""The course of a differentiable search as one static picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from hwnas.differentiable.records import DifferentiableRecord
from hwnas.report.colours import BLUE, GREEN, INK, MUTED, ORANGE, PAPER, VERMILION
from hwnas.report.differentiable_answer import Facts
from hwnas.report.differentiable_curves import CostCurve, Pair, accuracies, cost_curves, losses, numbers_of
from hwnas.report.differentiable_text import headline
from hwnas.report.pictures import dress, literal, write_figure
from hwnas.report.text import unbroken, wrapped

_SIZE, _DPI = (16.0, 9.0), 100
_SMALL, _TEXT, _TITLE = 11, 13, 16
_MOST_COSTS = 3
_ROOM = 1.15


def write_png(record: DifferentiableRecord, facts: Facts, path: Path | str) -> None:
    """Write the picture, 1600 x 900 pixels: costs above, losses, accuracies and skips below.

    Raises:
        OSError: the folder is missing or cannot be written.
    """
    figure = Figure(figsize=_SIZE, dpi=_DPI, facecolor=PAPER)
    figure.set_layout_engine("constrained", h_pad=0.12, w_pad=0.12, hspace=0.04, wspace=0.03)
    FigureCanvasAgg(figure)
    said = "\n".join(wrapped(literal(unbroken(headline(record, facts))), 110))
    figure.suptitle(said, fontsize=_TITLE, color=INK, weight="bold")
    _draw(figure, record)
    write_figure(figure, path)


def _draw(figure: Figure, record: DifferentiableRecord) -> None:
    epochs, costs = numbers_of(record), cost_curves(record)[:_MOST_COSTS]
    above, below = figure.subfigures(2, 1, squeeze=False)[:, 0]
    for panel, curve in zip(above.subplots(1, len(costs), squeeze=False)[0], costs, strict=True):
        _cost(panel, epochs, curve)
    first, second, third = below.subplots(1, 3)
    _pair(first, epochs, losses(record), "loss of the supernet", "cross-entropy (nats)")
    _pair(second, epochs, accuracies(record), "accuracy of the supernet", "accuracy (%)")
    _skips(third, epochs, [epoch.skips for epoch in record.epochs])


def _cost(panel: Axes, epochs: NDArray[np.intp], curve: CostCurve) -> None:
    panel.plot(epochs, curve.derived, "o-", color=ORANGE, ms=4, lw=1.2, label="derived architecture")
    panel.plot(epochs, curve.expected, color=BLUE, lw=2.4, label="expected")
    if curve.target is not None:
        panel.axhline(curve.target, color=VERMILION, ls="--", lw=1.8, label=f"target {curve.target:.4g}")
    panel.set_ylim(0, _ROOM * max(curve.expected.max(), curve.derived.max(), curve.target or 0))
    _dress(panel, epochs, curve.name, curve.title)
    panel.legend(fontsize=_SMALL, frameon=False)


def _pair(panel: Axes, epochs: NDArray[np.intp], pair: Pair, title: str, unit: str) -> None:
    panel.plot(epochs, pair.train, "o-", color=BLUE, ms=3, lw=2, label="train")
    if np.isfinite(pair.validation).any():
        panel.plot(epochs, pair.validation, "s--", color=GREEN, ms=3, lw=2, label="validation")
    panel.set_ylim(bottom=0)
    _dress(panel, epochs, title, unit)
    panel.legend(fontsize=_SMALL, frameon=False)


def _skips(panel: Axes, epochs: NDArray[np.intp], skips: list[int]) -> None:
    panel.plot(epochs, skips, "o-", color=MUTED, ms=4, lw=2, drawstyle="steps-mid", clip_on=False)
    panel.set_ylim(0, _ROOM * max(1, *skips))
    panel.yaxis.set_major_locator(MaxNLocator(integer=True))
    _dress(panel, epochs, "skips, were they not bounded", "connections")


def _dress(panel: Axes, epochs: NDArray[np.intp], title: str, unit: str) -> None:
    panel.set_title(literal(title), fontsize=_TEXT + 1, color=INK, weight="bold", loc="left")
    panel.set_xlabel("epoch", fontsize=_TEXT, color=INK)
    panel.set_ylabel(literal(unit), fontsize=_TEXT, color=INK)
    panel.set_xlim(epochs[0] - 0.5, epochs[-1] + 0.5)
    panel.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    dress(panel, _SMALL)
