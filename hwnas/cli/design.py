"""`hwnas design`: which architectures to measure on a new device."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hwnas.cli.data import resolve
from hwnas.cli.options import Json, Space
from hwnas.cli.output import console, print_json
from hwnas.cli.targets import search_space


def design(
    space: Space = None,
    n: Annotated[int, typer.Option("--n", help="How many architectures.")] = 20,
    transfer: Annotated[
        list[str] | None,
        typer.Option(
            help="Table of another device: a folder or a name of `hwnas list tables`; may be repeated."
        ),
    ] = None,
    criterion: Annotated[
        str, typer.Option(help="I: small variance of all predictions; D: most information.")
    ] = "I",
    out: Annotated[
        Path | None, typer.Option(help="Text file for `hwnas measure --arch @file`, an architecture a line.")
    ] = None,
    json: Json = False,
) -> None:
    """Choose the architectures whose latencies tell the most of a space, before anything is measured."""
    from hwnas.latency import LatencyTable
    from hwnas.latency.transfer.few_shot import chosen, reference

    searched = search_space(space)
    tables = [LatencyTable.load(resolve("latency_tables", name)) for name in transfer or []]
    references = [reference(table, searched) for table in tables]
    designed, _ = chosen(searched, references, n=n, criterion=criterion)
    lines = [str(architecture) for architecture in designed]
    if out is not None:
        out.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    if json:
        print_json({"space": str(searched), "criterion": criterion, "architectures": lines})
        return
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)
