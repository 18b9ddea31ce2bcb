"""A selection of a search space in a folder: tables for programs, a page and a picture for people."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from hwnas.report.folder import write_files
from hwnas.tinynas import Selection


def write_selection(selection: Selection, folder: Path | str) -> tuple[Path, ...]:
    """Write `spaces.csv`, `selection.json`, `cdf.png` and `cdf.html` into a folder, made if missing.

    Returns:
        Their paths, in that order.

    Raises:
        OSError: the folder cannot be written.
    """
    from hwnas.report.space_selection_html import write_html
    from hwnas.report.space_selection_png import write_png

    return write_files(
        folder,
        {
            "spaces.csv": selection.to_csv,
            "selection.json": selection.to_json,
            "cdf.png": partial(write_png, selection),
            "cdf.html": partial(write_html, selection),
        },
    )
