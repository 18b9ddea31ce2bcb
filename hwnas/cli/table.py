"""`hwnas table`: what is in latency tables, how two differ, whether one can be true, several as one."""

from __future__ import annotations

from dataclasses import asdict
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hwnas.cli.data import resolve
from hwnas.cli.options import Json
from hwnas.cli.output import console, print_json, print_table

if TYPE_CHECKING:
    from hwnas.latency import LatencyTable
    from hwnas.latency.tables.entry import Entry

TableName = Annotated[str, typer.Argument(help="Latency table: a folder, or a name of `hwnas list tables`.")]

app = typer.Typer(no_args_is_help=True, help="Look at latency tables, compare, check and merge them.")


@app.command()
def show(
    table: TableName,
    slowest: Annotated[int, typer.Option(min=0, help="How many of the slowest blocks or kernels.")] = 10,
    json: Json = False,
) -> None:
    """Device, runtime, protocol, circumstances and entries of a table."""
    loaded = _load(table)
    content = {
        "table_id": loaded.table_id,
        **asdict(loaded.meta),
        "entries": {kind: _summary(entries) for kind, entries in _by_kind(loaded).items()},
        "slowest": [_row(entry) for entry in _slowest(loaded, slowest)],
    }
    if json:
        print_json(content)
        return
    _print_show(content)


@app.command()
def diff(first: TableName, second: TableName, json: Json = False) -> None:
    """What differs in how two tables were measured, and the ratio of the entries they share."""
    from hwnas.latency.tables.diff import diff as compare

    found = compare(_load(first), _load(second))
    if json:
        print_json(asdict(found))
        return
    if found.same:
        console.print("the tables have the same content")
        return
    for difference in found.identity or ("same device, runtime and protocol",):
        console.print(difference, markup=False)
    console.print(
        f"{found.common} entries in both, {found.first_only} only in the first, {found.second_only} only in "
        "the second"
    )
    if found.ratios:
        r = found.ratios
        console.print(
            f"second / first over {r.n}: median {r.median:.4f}, from {r.p10:.4f} (p10) to {r.p90:.4f} (p90), "
            f"{100 * r.within_1:.0f} % within 1 %"
        )
    for name, ratio in found.sentinels.items():
        console.print(f"{name}: {ratio:.4f}", markup=False)


@app.command()
def merge(
    tables: Annotated[list[str], typer.Argument(help="Two or more tables; the first one's scale is kept.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the merged table, a new one.")],
    json: Json = False,
) -> None:
    """Tables of one device, runtime and protocol as one, on the scale of the first one's sentinels."""
    from hwnas.latency import merge as merge_two

    if len(tables) < 2:
        raise ValueError("give two tables at least")
    if out.exists() and any(out.iterdir() if out.is_dir() else [out]):
        raise ValueError(f"--out {out} is not empty; a merged table needs a folder of its own")
    merged = reduce(merge_two, map(_load, tables))
    merged.save(out)
    if json:
        entries = {kind: _summary(found) for kind, found in _by_kind(merged).items()}
        print_json({"table": str(out), "table_id": merged.table_id, "entries": entries})
        return
    rescaled = sum("rescaled" in entry.flags for entry in merged)
    console.print(f"wrote {out}: {len(merged)} entries, {rescaled} of them rescaled", markup=False)


@app.command()
def validate(table: TableName, json: Json = False) -> None:
    """Check a table's files, and whether its numbers can be true; exit code 2 where they cannot."""
    from hwnas.latency.tables.plausible import findings

    found = findings(_load(table))
    errors = [finding.message for finding in found if finding.is_error]
    if json:
        print_json({"errors": errors, "warnings": [f.message for f in found if not f.is_error]})
    for finding in () if json else found:
        if not finding.is_error:
            console.print(f"warning: {finding.message}", markup=False)
    if errors:
        raise ValueError(f"{table}: " + "; ".join(errors))
    if not json:
        console.print(f"{table} is a valid table", markup=False)


def _load(name: str) -> LatencyTable:
    from hwnas.latency import LatencyTable

    return LatencyTable.load(resolve("latency_tables", name))


def _by_kind(table: LatencyTable) -> dict[str, list[Entry]]:
    kinds = {"networks": table.networks, "blocks": table.blocks, "kernels": table.kernels}
    return {kind: entries for kind, entries in kinds.items() if entries}


def _summary(entries: list[Entry]) -> dict[str, Any]:
    times = [entry.latency_ms for entry in entries if not entry.failed]
    flags = sorted({flag for entry in entries for flag in entry.flags})
    return {
        "count": len(entries),
        "latency_ms": {"min": min(times), "max": max(times)} if times else None,
        "flags": {flag: sum(flag in entry.flags for entry in entries) for flag in flags},
    }


def _slowest(table: LatencyTable, count: int) -> list[Entry]:
    parts = [entry for entry in (*table.blocks, *table.kernels) if not entry.failed]
    return sorted(parts, key=lambda entry: -entry.p10_us)[:count]


def _row(entry: Entry) -> dict[str, Any]:
    return {"name": entry.name, "latency_ms": entry.latency_ms, "flops": entry.flops, "flags": entry.flags}


def _print_show(content: dict[str, Any]) -> None:
    for part in ("device", "runtime", "protocol"):
        fields = {name: value for name, value in content["identity"][part].items() if value is not None}
        console.print(
            f"{part}: " + ", ".join(f"{name} {value}" for name, value in fields.items()), markup=False
        )
    circumstances = {name: value for name, value in content["environment"].items() if value is not None}
    console.print("measured: " + ", ".join(f"{k} {v}" for k, v in circumstances.items()), markup=False)
    sentinels = ", ".join(f"{name} {time} µs" for name, time in content["sentinels"].items())
    console.print(f"sentinels: {sentinels}", markup=False)
    console.print(f"space: {content['space'] or 'not stated'}; id {content['table_id'][:16]}", markup=False)
    rows = [
        [
            kind,
            str(s["count"]),
            _range(s["latency_ms"]),
            ", ".join(f"{n} {flag}" for flag, n in s["flags"].items()),
        ]
        for kind, s in content["entries"].items()
    ]
    print_table(["entries", "count", "latency ms", "flags"], rows)
    if content["slowest"]:
        slowest = [[e["name"], f"{e['latency_ms']:.4f}", " ".join(e["flags"])] for e in content["slowest"]]
        print_table(["slowest", "latency ms", "flags"], slowest)


def _range(latency: dict[str, float] | None) -> str:
    return f"{latency['min']:.4f} to {latency['max']:.4f}" if latency else ""
