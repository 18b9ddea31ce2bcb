"""What the pages of searches that derive one architecture share: the frame, its file, its drawing."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from plotly.offline import get_plotlyjs

from hwnas.objectives import format_quantity
from hwnas.report import differentiable_text as said
from hwnas.report import markup as m
from hwnas.report.architecture_drawing import drawings
from hwnas.report.differentiable_answer import Answer
from hwnas.report.drawing_svg import svg
from hwnas.report.text import flattened, unbroken
from hwnas.search.records import Candidate

_HERE = Path(__file__).parent
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
    "img-src data: blob:; connect-src 'none'"
)


def whole_page(title: str, headline: str, summary: str, sections: str) -> str:
    """A page that needs nothing else.

    Args:
        title: of the page, text.
        headline: text.
        summary: HTML under the headline.
        sections: HTML after it.
    """
    style = (_HERE / "page.css").read_text(encoding="utf-8")
    draw = (_HERE / "page.js").read_text(encoding="utf-8")
    named = escape(title)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{named} · hwnas</title><style>{style}</style></head><body><main>"
        f'<header><p class="eyebrow">hwnas search · {named}</p>'
        f"<h1>{escape(unbroken(headline))}</h1>{summary}</header>"
        "<noscript><p>The plots of this page need JavaScript; its tables do not.</p></noscript>"
        f"{sections}</main>"
        f"<script>{get_plotlyjs()}</script><script>{draw}</script></body></html>\n"
    )


def file_of(verified: Candidate | None, untrained: str) -> str:
    """The link to the answer's ONNX file, whose weights are of its own training, or else `untrained`."""
    if verified is None:
        return ""
    reason = m.note(f"It could not be verified: {verified.reason}") if verified.reason else ""
    if not verified.onnx:
        return reason
    weights = "weights of its own training" if "accuracy" in verified.measured else untrained
    return f"<p>ONNX file: {m.link(verified.onnx)}, with {weights}</p>{reason}"


def verified_tiles(verified: Candidate | None) -> list[m.Tile]:
    """What was measured of the answer."""
    if verified is None:
        return []
    known = {
        "accuracy": ("test accuracy", "fraction", "of the trained network"),
        "latency_ms": ("measured latency", "ms", "of the ONNX file"),
    }
    found = [(known[name], value) for name, value in verified.measured.items() if name in known]
    return [m.Tile(name, format_quantity(value, unit), of) for (name, unit, of), value in found]


def architecture(answer: Answer | None, colours: str = "") -> str:
    """The section with the drawing of the answer; `colours` says what those of a cell's edges are."""
    title = "The derived architecture"
    if answer is None:
        return m.section(
            title, m.note("It is of a space of somebody's own: name it with --space to draw it.")
        )
    drawn = drawings(answer)
    parts = [f"<h3>{escape(one.title)}</h3>{svg(one)}" for one in drawn]
    caption = f"{said.CELL} {colours}".strip() if "cell" in drawn[0].title else said.CHAIN
    return m.section(title, m.caption(caption), *parts)


def settings_table(settings: Mapping[str, Any]) -> str:
    """Settings by name."""
    return m.table([], [("", [m.long(name), m.long(text)]) for name, text in flattened(settings)], "settings")
