"""The report as one HTML file that needs nothing else: it loads no script, font or image."""

from __future__ import annotations

from html import escape
from pathlib import Path

from plotly.offline import get_plotlyjs

from hwnas.files import write_whole
from hwnas.report import sections
from hwnas.report.headline import headline
from hwnas.report.text import unbroken
from hwnas.search.records import RunRecord

_HERE = Path(__file__).parent
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
    "img-src data: blob:; connect-src 'none'"
)
_SECTIONS = (
    sections.trade_off,
    sections.progress,
    sections.verification,
    sections.blocks,
    sections.method,
)


def write_html(record: RunRecord, path: Path | str) -> None:
    """Write the page; a file of that name is replaced at once, never half.

    Raises:
        OSError: the folder is missing or cannot be written.
    """
    write_whole(Path(path), page(record).encode("utf-8", "replace"))


def page(record: RunRecord) -> str:
    """The whole page."""
    body = "".join(section(record) for section in _SECTIONS)
    style = (_HERE / "page.css").read_text(encoding="utf-8")
    draw = (_HERE / "page.js").read_text(encoding="utf-8")
    title = escape(record.title or "search")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title} · hwnas</title><style>{style}</style></head><body><main>"
        f'<header><p class="eyebrow">hwnas search · {title}</p><h1>{escape(unbroken(headline(record)))}</h1>'
        f"{sections.summary(record)}</header>"
        "<noscript><p>The plots of this page need JavaScript; its tables do not.</p></noscript>"
        f"{body}</main><script>{get_plotlyjs()}</script><script>{draw}</script></body></html>\n"
    )
