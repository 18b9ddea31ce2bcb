"""A comparison of proxies as one HTML page that needs nothing else: it loads no script, font or image."""

from __future__ import annotations

from html import escape
from pathlib import Path

from plotly.offline import get_plotlyjs

from hwnas.files import write_whole
from hwnas.proxies.correlation import Comparison
from hwnas.report import markup as m
from hwnas.report.correlation_figure import drawn, panels
from hwnas.report.correlation_headline import headline, legend
from hwnas.report.correlation_tables import TextTable, reasons, tables
from hwnas.report.text import unbroken

_HERE = Path(__file__).parent
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
    "img-src data: blob:; connect-src 'none'"
)
INTERVALS = "In brackets: 95 % bootstrap intervals over the architectures."
_MEANING = (
    "A positive correlation is a good one, whatever the direction of the score. A proxy that leaves "
    "architectures without a score is judged on the others alone, unless the table says otherwise. Pairs of "
    "equal score count as wrong. Chance puts half of the pairs in the right order, finds 10 % of the top "
    "10 %, and 3.2 of 64 in the top 5 %."
)


def write_html(comparison: Comparison, path: Path | str) -> None:
    """Write the page; a file of that name is replaced at once, never half.

    Raises:
        OSError: the folder is missing or cannot be written.
    """
    write_whole(Path(path), page(comparison).encode("utf-8", "replace"))


def page(comparison: Comparison) -> str:
    """The whole page."""
    style = (_HERE / "page.css").read_text(encoding="utf-8")
    draw = (_HERE / "page.js").read_text(encoding="utf-8")
    truth = escape(comparison.truth_name)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>proxies against {truth} · hwnas</title><style>{style}</style></head><body><main>"
        f'<header><p class="eyebrow">hwnas correlate · {truth}</p>'
        f"<h1>{escape(unbroken(headline(comparison)))}</h1></header>"
        "<noscript><p>The plots of this page need JavaScript; its tables do not.</p></noscript>"
        f"{_figures(comparison)}{_scatter(comparison)}</main>"
        f"<script>{get_plotlyjs()}</script><script>{draw}</script></body></html>\n"
    )


def _figures(comparison: Comparison) -> str:
    parts = [f"<h3>{escape(one.title)}</h3>{_table(one)}" for one in tables(comparison)]
    missing = "".join(m.note(line) for line in reasons(comparison))
    return m.section("How well each ranks", m.caption(f"{_MEANING} {INTERVALS}"), *parts, missing)


def _table(table: TextTable) -> str:
    first, *others = table.heads
    rows = [("", [m.name(row[0]), *(m.number(text) for text in row[1:])]) for row in table.rows]
    return m.table([m.name(first), *(m.number(head) for head in others)], rows)


def _scatter(comparison: Comparison) -> str:
    text, shown, all_of = legend(comparison), len(drawn(comparison)), len(comparison.truth)
    if shown < all_of:
        text += (
            f" {shown:,} of the {all_of:,} architectures are drawn, chosen at random; the figures are of all."
        )
    plot = m.plot("panels", "Scores against the truth, a panel for each proxy", panels(comparison), "")
    return m.section("Scores against the truth", m.caption(text), plot)
