"""Run all benchmarks, or those named: `python -m benchmarks counting session`."""

import sys
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from benchmarks import (
    counting,
    kernels,
    measuring,
    overhead,
    prediction,
    proxies,
    session,
    shipped_tables,
    space_selection,
    startup,
)
from benchmarks.timing import Row

BENCHMARKS: dict[str, Callable[[], list[Row]]] = {
    "startup": startup.rows,
    "counting": counting.rows,
    "session": session.rows,
    "overhead": overhead.rows,
    "encoding": prediction.encoding,
    "prediction": prediction.rows,
    "proxies": proxies.rows,
    "lookup": measuring.lookup,
    "tables": shipped_tables.rows,
    "repeatability": measuring.repeatability,
    "kernels": kernels.rows,
    "selection": space_selection.rows,
}


def main() -> None:
    chosen = sys.argv[1:] or list(BENCHMARKS)
    unknown = [name for name in chosen if name not in BENCHMARKS]
    if unknown:
        sys.exit(f"unknown benchmark {unknown[0]!r}; known: {', '.join(BENCHMARKS)}")
    table = Table("benchmark", "figure", "goal", "reached", box=None, pad_edge=False)
    for name in chosen:
        for row in BENCHMARKS[name]():
            table.add_row(row.what, row.figure, row.goal, "yes" if row.reached else "no")
            print(f"{row.what}: {row.figure} (goal {row.goal})", file=sys.stderr, flush=True)
    Console(width=130).print(table)


if __name__ == "__main__":
    main()
