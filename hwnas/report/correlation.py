"""A comparison of proxies in a folder: a table for programs, a page and a picture for people."""

from __future__ import annotations

import csv
import io
from functools import partial
from pathlib import Path

from hwnas.files import write_whole
from hwnas.proxies.correlation import Comparison
from hwnas.report.folder import write_files


def write_correlation(comparison: Comparison, folder: Path | str) -> tuple[Path, ...]:
    """Write `correlation.csv`, `correlation.html` and `correlation.png` into a folder, made if missing.

    Returns:
        Their paths, in that order.

    Raises:
        OSError: the folder cannot be written.
    """
    from hwnas.report.correlation_html import write_html
    from hwnas.report.correlation_png import write_png

    return write_files(
        folder,
        {
            "correlation.csv": lambda path: write_whole(path, table(comparison)),
            "correlation.html": partial(write_html, comparison),
            "correlation.png": partial(write_png, comparison),
        },
    )


def table(comparison: Comparison) -> str:
    """CSV with a row for each proxy: for each figure its value, its interval, and why it is missing."""
    text = io.StringIO()
    writer = csv.writer(text)
    names = list(comparison.judged[0].correlation.statistics())
    heads = ["proxy", "baseline", "higher_is_better", "truth", "architectures", "scored", "coverage"]
    writer.writerow([*heads, *(f"{name}{end}" for name in names for end in ("", "_low", "_high", "_reason"))])
    for one in comparison.judged:
        found = one.correlation
        row = [one.name, one.baseline, one.higher_is_better, comparison.truth_name, found.known, found.scored]
        cells = [
            cell for s in found.statistics().values() for cell in (s.value, s.low, s.high, s.reason or "")
        ]
        writer.writerow([*row, found.coverage, *cells])
    return text.getvalue()
