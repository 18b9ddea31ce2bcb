"""A selection of a search space in a folder: tables for programs, a page and a picture for people."""

from __future__ import annotations

from pathlib import Path

from hwnas.tinynas import Selection

FILES = ("spaces.csv", "selection.json", "cdf.png", "cdf.html")


def write_selection(selection: Selection, folder: Path | str) -> tuple[Path, ...]:
    """Write `spaces.csv`, `selection.json`, `cdf.png` and `cdf.html` into a folder, made if missing.

    Returns:
        Their paths, in that order.

    Raises:
        OSError: the folder cannot be written.
    """
    from hwnas.report.space_selection_html import write_html
    from hwnas.report.space_selection_png import write_png

    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    written = tuple(place / name for name in FILES)
    selection.to_csv(written[0])
    selection.to_json(written[1])
    write_png(selection, written[2])
    write_html(selection, written[3])
    return written
