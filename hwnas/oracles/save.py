"""Recorded results written as a table that `read_table` reads at once."""

from __future__ import annotations

from pathlib import Path

from hwnas.files import write_whole
from hwnas.oracles.table import SUFFIXES, MetricTable


def save_table(table: MetricTable, path: Path | str) -> None:
    """Write a table as CSV or parquet, by the path's suffix: the architectures, then each metric.

    Benchmarks that take minutes to read need be read once.

    Raises:
        ValueError: another suffix.
        OSError: the folder is missing or cannot be written; what stood there is unchanged.
    """
    import pyarrow
    from pyarrow import csv, parquet

    path = Path(path)
    if path.suffix not in SUFFIXES:
        raise ValueError(f"{path}: a table's file ends in {' or '.join(SUFFIXES)}, not in {path.suffix!r}")
    columns = {"architecture": pyarrow.array(table.architectures, pyarrow.string())}
    columns |= {name: pyarrow.array(values, from_pandas=True) for name, values in table.metrics.items()}
    buffer = pyarrow.BufferOutputStream()
    write = csv.write_csv if path.suffix == ".csv" else parquet.write_table
    write(pyarrow.table(columns), buffer)
    write_whole(path, buffer.getvalue().to_pybytes())
