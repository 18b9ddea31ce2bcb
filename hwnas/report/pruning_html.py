"""A search by pruning as one HTML page that needs nothing else: it loads no script, font or image."""

from __future__ import annotations

from html import escape
from pathlib import Path

from hwnas.differentiable.pruning.record import PruningRecord
from hwnas.files import write_whole
from hwnas.report import markup as m
from hwnas.report import pruning_text as said
from hwnas.report.colours import BLUE
from hwnas.report.differentiable_answer import Answer
from hwnas.report.differentiable_sections import (
    architecture,
    file_of,
    settings_table,
    verified_tiles,
    whole_page,
)
from hwnas.report.differentiable_text import cost
from hwnas.report.plotting import Figure, axis_style, layout_of
from hwnas.report.text import label
from hwnas.search.records import Candidate

_LONG = 300.0
"""Values whose ends differ by this factor are drawn on a logarithmic axis."""


def write_html(
    record: PruningRecord, answer: Answer | None, verified: Candidate | None, path: Path | str
) -> None:
    """Write the page; a file of that name is replaced at once, never half.

    Raises:
        OSError: the folder is missing or cannot be written.
    """
    write_whole(Path(path), page(record, answer, verified).encode("utf-8", "replace"))


def page(record: PruningRecord, answer: Answer | None, verified: Candidate | None) -> str:
    """The whole page; nothing of the answer where the search has not ended."""
    drawn = architecture(answer) if record.architecture else ""
    return whole_page(
        f"tenas on {record.space}",
        said.headline(record, verified),
        _summary(record, verified),
        f"{drawn}{_rounds(record)}{_removed(record)}{_method(record)}",
    )


def _summary(record: PruningRecord, verified: Candidate | None) -> str:
    minutes = sum(one.seconds for one in record.rounds) / 60
    known = {} if verified is None else verified.predicted
    shown = m.tiles(
        [
            *(m.Tile(label(name), cost(name, value)) for name, value in known.items()),
            *verified_tiles(verified),
            m.Tile("rounds", str(len(record.rounds) - 1), f"{minutes:.1f} minutes"),
        ]
    )
    if not record.architecture:
        return shown + m.note("The search has not ended: the same command goes on after its last round.")
    text = f"<h3>Architecture</h3><pre>{escape(record.architecture)}</pre>"
    return shown + text + file_of(verified, "random weights: nothing was trained")


def _rounds(record: PruningRecord) -> str:
    plots = [
        f"<h3>{escape(label(name))}</h3>{m.plot(f'value-{i}', f'{name} over the rounds', figure, '')}"
        for i, (name, figure) in enumerate((name, value(record, name)) for name in record.rounds[0].values)
    ]
    first, *others = said.heads(record)
    rows = [
        ("", [m.name(number), *(m.number(text) for text in texts)])
        for number, *texts in (said.row(record, one) for one in record.rounds)
    ]
    table = m.table([m.name(first), *(m.number(head) for head in others)], rows)
    return m.section("Rounds", m.caption(said.VALUES), *plots, table)


def value(record: PruningRecord, proxy: str) -> Figure:
    """A proxy of what remains over the rounds; undefined and infinite values are left out."""
    values = [one.values[proxy] for one in record.rounds]
    known = [one for one in values if one is not None]
    is_log = bool(known) and min(known) > 0 and max(known) > _LONG * min(known)
    trace = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [one.number for one in record.rounds],
        "y": values,
        "line": {"color": BLUE, "width": 2},
        "cliponaxis": False,
        "hovertemplate": "round %{x}<br>%{y:.4~g}<extra></extra>",
    }
    ends = {"range": [-0.2, len(values) - 0.8], "dtick": max(1, len(values) // 10)}
    across, up = {**axis_style("round"), **ends}, axis_style(label(proxy), log=is_log)
    return {"data": [trace], "layout": layout_of(260, xaxis=across, yaxis=up)}


def _removed(record: PruningRecord) -> str:
    heads = ["group", *(f"round {one.number}" for one in record.rounds[1:]), "remains"]
    rows = [
        ("", [m.name(group), *(m.name(text) for text in texts)])
        for group, texts in said.removals(record).items()
    ]
    return m.section(
        "What was removed", m.caption(said.REMOVED), m.table([m.name(one) for one in heads], rows)
    )


def _method(record: PruningRecord) -> str:
    return m.section("Settings", settings_table({"scored networks": record.scored, **record.settings}))
