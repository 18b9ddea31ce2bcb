"""How much of each budget the candidates use: what a report draws where no latency was measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from hwnas.report.colours import INK, VERMILION
from hwnas.report.derived import known, metric_info
from hwnas.report.text import label, quantity
from hwnas.search.records import RunRecord

_ROOM = 1.15


@dataclass(frozen=True)
class Budget:
    """A bound, as `peak SRAM: 320.0 kB`, and `[candidates]`, the fraction of it that each uses or NaN."""

    text: str
    used: NDArray[np.float64]


def budgets(record: RunRecord) -> list[Budget]:
    """Every bound of which some candidate's value is known, in the record's order."""
    found = []
    for name, bound in record.bounds.items():
        used = np.array([known(candidate, name) / bound for candidate in record.candidates], dtype=np.float64)
        if np.isfinite(used).any():
            found.append(Budget(f"{label(name)}: {quantity(bound, metric_info(record, name))}", used))
    return found


def draw_budgets(panel: Axes, found: list[Budget], winner: int | None) -> None:
    """A row for each budget, a mark in it for each candidate, and a line where the budgets end."""
    rows = np.arange(len(found))
    used = 100 * np.array([one.used for one in found])
    panel.axvline(100, color=VERMILION, ls="--", lw=1.8, label="budget")
    others = [i for i in range(used.shape[1]) if i != winner]
    if others:
        panel.scatter(
            used[:, others].T.ravel(), np.tile(rows, len(others)),
            marker="D", s=52, c="white", ec=INK, lw=1.4, zorder=3, label="candidate",
        )  # fmt: skip
    if winner is not None:
        panel.scatter(used[:, winner], rows, marker="*", s=330, c=VERMILION, ec=INK, lw=1.4, zorder=4,
                      label="winner")  # fmt: skip
    panel.set_xlim(0, _ROOM * max(100.0, float(used[np.isfinite(used)].max())))
    panel.set_ylim(len(found) - 0.5, -0.5)
    panel.set_yticks(rows, [one.text.replace("$", r"\$") for one in found])
