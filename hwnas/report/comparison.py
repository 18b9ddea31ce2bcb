"""A comparison of strategies in a folder: tables for programs, a page and a picture for people."""

from __future__ import annotations

import csv
import io
import json
import math
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from hwnas.files import write_whole
from hwnas.report.comparison_text import checkpoints, second_marks, target
from hwnas.report.folder import write_files
from hwnas.search.comparison import Entry, StrategyComparison

COLUMNS = ("strategy", "peer", "networks", "median", "lower_quartile", "upper_quartile", "regret", "seconds")


def write_comparison(comparison: StrategyComparison, folder: Path | str) -> tuple[Path, ...]:
    """Write `comparison.csv`, `.json`, `.png` and `.html` into a folder, made if missing.

    Returns:
        Their paths, in that order.

    Raises:
        OSError: the folder cannot be written.
    """
    from hwnas.report.comparison_html import write_html
    from hwnas.report.comparison_png import write_png

    text = json.dumps(content(comparison), indent=2, ensure_ascii=False) + "\n"
    return write_files(
        folder,
        {
            "comparison.csv": lambda path: write_whole(path, table(comparison)),
            "comparison.json": lambda path: write_whole(path, text),
            "comparison.png": partial(write_png, comparison),
            "comparison.html": partial(write_html, comparison),
        },
    )


def table(comparison: StrategyComparison) -> str:
    """CSV with a row for each strategy and number of trained networks; a cell is empty where unknown."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for entry in comparison.entries:
        low, median, high = (entry.quantile(share) for share in (0.25, 0.5, 0.75))
        columns = zip(median, low, high, comparison.optimum - median, entry.median_seconds, strict=True)
        for queries, values in enumerate(columns, start=1):
            cells = ["" if math.isnan(value) else f"{value:.8g}" for value in values]
            writer.writerow([entry.label, int(entry.is_peer), queries, *cells])
    return text.getvalue()


def content(comparison: StrategyComparison) -> dict[str, Any]:
    """Everything but the curves, as plain data; what is unknown is None."""
    goal = target(comparison)
    return {
        "space": comparison.space,
        "maximize": comparison.objective.maximize,
        "constraints": {one.metric: one.bound for one in comparison.objective.constraints},
        "architectures": comparison.architectures,
        "feasible": comparison.feasible,
        "optimum": comparison.optimum,
        "queries": comparison.queries,
        "budget_seconds": _plain(comparison.budget_s),
        "repeats": comparison.repeats,
        "seed": comparison.seed,
        "target": {"strategy": goal.label, "value": _plain(goal.value)},
        "strategies": {one.label: _entry(one, comparison, goal.value) for one in comparison.entries},
        "left_out": dict(comparison.left_out),
    }


def _entry(entry: Entry, comparison: StrategyComparison, goal: float) -> dict[str, Any]:
    low, median, high = (entry.quantile(share) for share in (0.25, 0.5, 0.75))
    last = entry.best[:, -1][~np.isnan(entry.best[:, -1])]
    seconds = entry.median_seconds
    return {
        "peer": entry.is_peer,
        "repeats": len(entry.best),
        "at": {
            str(n): {
                "median": _plain(median[n - 1]),
                "lower_quartile": _plain(low[n - 1]),
                "upper_quartile": _plain(high[n - 1]),
                "median_error": _plain(entry.median_error(n)),
                "regret": _plain(comparison.optimum - median[n - 1]),
                "optimum_found": entry.found(comparison.optimum, n),
                "seconds": _plain(seconds[n - 1]),
            }
            for n in checkpoints(comparison)
        },
        "within_seconds": {
            f"{seconds:g}": {
                name: _plain(entry.quantile_within(share, seconds))
                for name, share in (("median", 0.5), ("lower_quartile", 0.25), ("upper_quartile", 0.75))
            }
            for seconds in second_marks(comparison)
        },
        "mean": float(last.mean()) if len(last) else None,
        "std": float(last.std()) if len(last) else None,
        "networks_to_target": entry.queries_to(goal),
        "trained": float(np.median(entry.trained)),
        "infeasible": entry.infeasible,
        "step_seconds": entry.step_seconds,
    }


def _plain(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
