"""`hwnas correlate`: how well proxies rank architectures whose accuracy is known."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hwnas.cli.options import Json
from hwnas.cli.output import console, print_json, print_table, progress_bar

if TYPE_CHECKING:
    from hwnas.oracles import MetricTable
    from hwnas.proxies.correlation import Comparison


def correlate(
    scores: Annotated[
        Path, typer.Argument(help="CSV or parquet file: a column `architecture`, and one for each proxy.")
    ],
    truth: Annotated[
        Path, typer.Option(help="CSV or parquet file: a column `architecture`, and what was measured.")
    ],
    truth_column: Annotated[
        str | None,
        typer.Option(help="Column of the truth, higher being better; needed where there are more."),
    ] = None,
    proxies: Annotated[
        str | None, typer.Option(help="Columns to judge, separated by commas; all if not given.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for correlation.csv, correlation.html and correlation.png.")
    ] = None,
    json: Json = False,
) -> None:
    """Judge proxies by the true accuracy: rank correlations, coverage, and what they find of the best."""
    from hwnas.oracles import read_table

    if out is not None and any(place.is_file() for place in (out, *out.parents)):
        raise ValueError(f"--out {out} is a file, or in one; give a folder")
    scored, known = _with_combinations(read_table(scores)), read_table(truth)
    name, columns = _truth_column(known, truth_column), _columns(scored, proxies)
    from hwnas.proxies.correlation import Table, compare

    directions, assumed = _directions(columns)
    with progress_bar("judging") as bar:
        found = compare(
            Table(scored.architectures, scored.metrics),
            Table(known.architectures, known.metrics),
            name,
            higher_is_better=directions,
            progress=lambda done, total: bar.update(done, total, "judging"),
        )
    written: tuple[Path, ...] = ()
    if out is not None:
        from hwnas.report.correlation import write_correlation

        written = write_correlation(found, out)
    if json:
        print_json(_content(found, assumed))
        return
    _print(found, assumed, len(known.architectures))
    if written:
        _line(f"wrote {', '.join(str(path) for path in written)}")


def _with_combinations(table: MetricTable) -> MetricTable:
    """The table with the combinations of proxies, such as the vote, whose parts it holds."""
    from hwnas.proxies.ranks import combinations

    joined = combinations(table.metrics)
    return replace(table, metrics=joined | dict(table.metrics))


def _truth_column(table: MetricTable, wanted: str | None) -> str:
    names = ", ".join(table.metrics)
    if wanted is None and len(table.metrics) > 1:
        raise ValueError(f"--truth-column is needed: {table.source} has {names}")
    if wanted is not None and wanted not in table.metrics:
        raise ValueError(f"--truth-column {wanted}: {table.source} has no such column; it has {names}")
    return wanted or next(iter(table.metrics))


def _columns(table: MetricTable, wanted: str | None) -> list[str]:
    if wanted is None:
        return list(table.metrics)
    names = list(dict.fromkeys(name.strip() for name in wanted.split(",") if name.strip()))
    if not names:
        raise ValueError(f"--proxies names none; {table.source} has {', '.join(table.metrics)}")
    for name in names:
        if name not in table.metrics:
            has = ", ".join(table.metrics)
            raise ValueError(f"--proxies {name}: {table.source} has no such column of numbers; it has {has}")
    return names


def _directions(columns: list[str]) -> tuple[dict[str, bool], list[str]]:
    """Whether higher is better for each column, and the columns of which that is assumed."""
    from hwnas.proxies import get
    from hwnas.proxies import names as known
    from hwnas.proxies.correlation.comparison import BASELINES
    from hwnas.proxies.ranks import COMBINATIONS

    listed = known()
    directions = {name: get(name).higher_is_better if name in listed else True for name in columns}
    return directions, [name for name in columns if name not in {*listed, *BASELINES, *COMBINATIONS}]


def _print(found: Comparison, assumed: list[str], known: int) -> None:
    from hwnas.report.correlation_html import INTERVALS
    from hwnas.report.correlation_tables import reasons, tables

    _line(
        f"{len(found.truth):,} of the {found.listed:,} architectures with scores have a {found.truth_name} "
        f"(of {known:,} in the truth). {INTERVALS}"
    )
    for one in tables(found):
        console.print()
        print_table(one.heads, one.rows, title=one.title)
    console.print()
    for line in (*reasons(found), *_remarks(found, assumed)):
        _line(line)


def _remarks(found: Comparison, assumed: list[str]) -> list[str]:
    from hwnas.proxies.correlation.comparison import BASELINES

    said = []
    if assumed:
        said.append(f"taken as higher is better, being no known proxies: {', '.join(assumed)}")
    if not found.baselines:
        said.append(f"no baseline: none of the columns {', '.join(BASELINES)} is among the scores")
    return said


def _line(text: str) -> None:
    console.print(text, markup=False, soft_wrap=True)


def _content(found: Comparison, assumed: list[str]) -> dict[str, Any]:
    return {
        "truth": found.truth_name,
        "architectures": len(found.truth),
        "listed": found.listed,
        "baselines": list(found.baselines),
        "assumed_higher_is_better": assumed,
        "proxies": {
            one.name: {
                "baseline": one.baseline,
                "higher_is_better": one.higher_is_better,
                "coverage": one.correlation.coverage,
                **asdict(one.correlation),
            }
            for one in found.judged
        },
    }
