"""A comparison of proxies as tables of text, for a terminal and for a page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from hwnas.proxies.correlation import Comparison, Judged, Statistic
from hwnas.proxies.correlation.figures import NAMES
from hwnas.report.correlation_panels import figure
from hwnas.report.text import percent


class Column(NamedTuple):
    """A figure of `Correlation`: its name there, what stands above it, its digits."""

    name: str
    head: str
    digits: int


@dataclass(frozen=True)
class TextTable:
    """A table ready to print.

    Attributes:
        title: what it shows.
        heads: of the columns.
        rows: texts, baselines first.
    """

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


_SPEARMAN = (Column("spearman", "Spearman", 3),)
_PAIRS = (Column("kendall", "Kendall", 3), Column("pair_accuracy", "pairs right", 3))
_LAST = (Column("spearman_undefined_last", "Spearman", 3), Column("kendall_undefined_last", "Kendall", 3))
_INSIDE = (Column("spearman_top_10", "Spearman", 3), Column("kendall_top_10", "Kendall", 3))
_FOUND = (
    Column("top_10_in_top_10", "% of top 10 %", 1),
    Column("top_64_in_top_5", "of top 64", 0),
)


def tables(comparison: Comparison) -> list[TextTable]:
    """Correlations over the scored, over all where some are undefined, and in the top 10 %; and finds."""
    truth, judged = comparison.truth_name, comparison.judged
    gaps = tuple(one for one in judged if one.correlation.coverage < 1)
    last = [_table("All architectures, undefined scores ranked last", gaps, _LAST)] if gaps else []
    return [
        _table(f"Rank correlation with {truth}, where there is a score", judged, _SPEARMAN, counted=True),
        _table("Tau-b, and the share of pairs in the right order", judged, _PAIRS),
        *last,
        _table(f"Inside the top 10 % by {truth}", judged, _INSIDE),
        _table("Found: the top 10 % in the top 10 %, of the top 64 in the top 5 %", judged, _FOUND),
    ]


def reasons(comparison: Comparison) -> list[str]:
    """Why figures are missing, a line for each proxy and reason."""
    lines = []
    for one in comparison.judged:
        why: dict[str, list[str]] = {}
        for name, statistic in one.correlation.statistics().items():
            if statistic.reason is not None:
                why.setdefault(statistic.reason, []).append(name)
        for reason, names in why.items():
            which = "figure" if len(names) == len(NAMES) else ", ".join(names)
            lines.append(f"{one.name}: no {which}: {reason}")
    return lines


def _table(
    title: str,
    judged: tuple[Judged, ...],
    columns: tuple[Column, ...],
    *,
    counted: bool = False,
) -> TextTable:
    heads = ("proxy", *(("scored", "share") if counted else ()), *(column.head for column in columns))
    rows = []
    for one in judged:
        name = f"{one.name} (baseline)" if one.baseline else one.name
        share = (f"{one.correlation.scored:,}", percent(one.correlation.coverage)) if counted else ()
        figures = one.correlation.statistics()
        rows.append((name, *share, *(_said(figures[c.name], c.digits) for c in columns)))
    return TextTable(title, heads, tuple(rows))


def _said(statistic: Statistic, digits: int) -> str:
    """`0.822 [0.817, 0.828]`."""
    value = figure(statistic.value, digits)
    ends = [figure(end, digits) for end in (statistic.low, statistic.high)]
    return value if "–" in ends else f"{value} [{', '.join(ends)}]"
