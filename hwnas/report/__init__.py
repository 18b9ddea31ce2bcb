"""A run for people: one self-contained HTML page, and one static picture.

The record's `environment` and `config` are shown whole; a few names in them are also read:
`device`, `runtime` and `protocol` (a text, or a mapping with `id`, `model` or `name`), `statistic`
(which percentile of the samples a latency is, `p10` by default), `seed` and `command`. Values of
`predictor_error` are fractions, apart from `spearman`.
"""

from __future__ import annotations

from pathlib import Path

from hwnas.search.records import RunRecord


def write_html(record: RunRecord, path: Path | str) -> None:
    """Write the HTML page; see `hwnas.report.html`."""
    from hwnas.report.html import write_html as write

    write(record, path)


def write_png(record: RunRecord, path: Path | str) -> None:
    """Write the picture, 1600 x 1200 pixels; see `hwnas.report.png`."""
    from hwnas.report.png import write_png as write

    write(record, path)


def write_report(record: RunRecord, folder: Path | str) -> tuple[Path, Path]:
    """Write `report.html` and `report.png` into a folder, made if missing; return their paths.

    Raises:
        OSError: the folder cannot be written.
    """
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    page, picture = place / "report.html", place / "report.png"
    write_html(record, page)
    write_png(record, picture)
    return page, picture


__all__ = ["write_html", "write_png", "write_report"]
