"""Recorded results of architectures, one row each: a person's own CSV or parquet file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwnas.oracles.message import shortened
from hwnas.spaces import BenchmarkOrder

ARCHITECTURE_COLUMNS = ("architecture", "arch", "name")
SUFFIXES = (".csv", ".parquet")
MAX_BYTES = 2 * 1024**3
MAX_ROWS = 10_000_000
_ROWS_AT_ONCE = 65_536


@dataclass(frozen=True, eq=False)
class MetricTable:
    """What was recorded of some architectures.

    Attributes:
        architectures: their texts, each once.
        metrics: by the column's name, one float64 per architecture [N]; NaN where nothing was recorded.
        source: where they come from, for messages.
        texts: by the name of each column of text that was left out, where its first text is.

    Raises:
        ValueError: an architecture occurs twice, there is no metric, or one has another length.
    """

    architectures: tuple[str, ...]
    metrics: Mapping[str, NDArray[np.float64]]
    source: str = "the table"
    texts: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.metrics:
            found = "".join(f"; column {shortened(name)}: {text}" for name, text in self.texts.items())
            raise ValueError(f"{self.source} has no column of numbers, so it gives no metric{found}")
        for name, values in self.metrics.items():
            if values.shape != (len(self.architectures),):
                raise ValueError(
                    f"{self.source}: column {name} has shape {values.shape} for "
                    f"{len(self.architectures)} architectures"
                )
        rows: dict[str, int] = {}
        for row, architecture in enumerate(self.architectures, start=1):
            if architecture in rows:
                raise ValueError(
                    f"{self.source}: architecture {shortened(architecture)} occurs twice, in rows "
                    f"{rows[architecture]} and {row}"
                )
            rows[architecture] = row

    def column(self, name: str) -> NDArray[np.float64]:
        """The values of one metric [N]; raises ValueError listing the columns where there is none.

        Of a column of text the message names the first row with a text.
        """
        if name in self.texts:
            raise ValueError(f"{self.source}: column {shortened(name)}: {self.texts[name]}")
        if name not in self.metrics:
            raise ValueError(
                f"{self.source} has no column {name!r}; it has {', '.join(map(shortened, self.metrics))}"
            )
        return self.metrics[name]


def read_table(path: Path | str, *, order: BenchmarkOrder | None = None) -> MetricTable:
    """Read a CSV or parquet file with a row for each architecture.

    The architectures' texts are in the column `architecture`, `arch` or `name`, or else in the first column
    of text. A file that has only an `index` is read with `order`, which says whose index it is. Every other
    column of numbers is a metric (`index` is none); an empty cell is NaN. Other columns are left out.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is no such table; the message names it, and where it can the row (the first below
            the header is 1).
    """
    path = Path(path)
    if path.is_dir():
        raise ValueError(f"{path} is a folder; a table is a file {' or '.join(SUFFIXES)}")
    if path.suffix not in SUFFIXES:
        raise ValueError(f"{path}: a table's file ends in {' or '.join(SUFFIXES)}, not in {path.suffix!r}")
    size = path.stat().st_size
    if size == 0:
        raise ValueError(f"{path} is empty; a table has a header and a row for each architecture")
    if size > MAX_BYTES:
        raise ValueError(f"{path}: {size} bytes are more than a table's {MAX_BYTES}")
    return _metric_table(_csv(path) if path.suffix == ".csv" else _parquet(path), path, order)


def _csv(path: Path) -> Any:
    import pyarrow
    from pyarrow import csv

    texts = dict.fromkeys(ARCHITECTURE_COLUMNS, pyarrow.string())
    try:
        table = csv.read_csv(path, convert_options=csv.ConvertOptions(column_types=texts))
        names = table.column_names
        types = table.schema.types
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: the header is not UTF-8: {error}") from None
    except pyarrow.ArrowException as error:
        raise ValueError(f"{path}: not CSV in UTF-8: {shortened(error, 200)}") from None
    for name, kind in zip(names, types, strict=True):
        if pyarrow.types.is_binary(kind):  # what pyarrow makes of texts that are not UTF-8
            raise ValueError(f"{path}: column {shortened(name)} is not UTF-8")
    return table


def _parquet(path: Path) -> Any:
    import pyarrow
    from pyarrow import parquet

    batches, read = [], 0
    try:
        file = parquet.ParquetFile(path)
        if file.metadata.num_rows > MAX_ROWS:
            raise ValueError(f"{path} states {file.metadata.num_rows} rows, more than {MAX_ROWS}")
        schema = file.schema_arrow
        texts = [field.name for field in schema if _is_text(field.type)]
        file = parquet.ParquetFile(path, read_dictionary=texts)  # a text that is repeated takes its room once
        wanted = [field.name for field in schema if _is_text(field.type) or _is_number(field.type)]
        for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE, columns=wanted):
            read += batch.nbytes
            if read > MAX_BYTES:
                raise ValueError(f"{path} holds more than a table's {MAX_BYTES} bytes")
            batches.append(batch)
        if not batches:
            raise ValueError(f"{path} has no rows, or no column of texts or numbers")
        return pyarrow.Table.from_batches(batches)
    except (pyarrow.ArrowException, OSError) as error:
        raise ValueError(f"{path} is not a readable parquet file: {shortened(error, 200)}") from None


def _metric_table(table: Any, path: Path, order: BenchmarkOrder | None) -> MetricTable:
    names = table.column_names
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{path}: column {twice[0]!r} occurs twice")
    if not table.num_rows:
        raise ValueError(f"{path} has a header and no rows")
    column = _architecture_column(table, path)
    if column is not None:
        architectures = _texts(table.column(column), column, path)
    else:
        architectures = _by_index(table, order, path)
    metrics = {
        name: _numbers(table.column(name))
        for name in names
        if name not in ("index", column) and _may_be_metric(name, table.column(name).type)
    }
    texts = {
        name: _first_text(table.column(name))
        for name in names
        if name != column and _is_text(table.column(name).type)
    }
    return MetricTable(tuple(architectures), metrics, str(path), texts)


def _architecture_column(table: Any, path: Path) -> str | None:
    """The column of the architectures' texts; None where there is an `index` and no text."""
    texts = [name for name in table.column_names if _is_text(table.column(name).type)]
    for name in (*ARCHITECTURE_COLUMNS, *texts):
        if name in texts:
            return str(name)
    if "index" in table.column_names:
        return None
    raise ValueError(
        f"{path} has no column of architectures (it has {shortened(', '.join(table.column_names))}): "
        f"call it {' or '.join(ARCHITECTURE_COLUMNS)}"
    )


def _texts(column: Any, name: str, path: Path) -> list[str]:
    import pyarrow.types as types

    if types.is_dictionary(column.type) and (repeated := len(column) - len(column.unique())):
        raise ValueError(
            f"{path}: column {shortened(name)} names an architecture again in {repeated} of "
            f"{len(column)} rows"
        )
    texts: list[str] = column.to_pylist()
    for row, text in enumerate(texts, start=1):
        if not text:
            raise ValueError(
                f"{path}: row {row}: column {shortened(name)} is empty; it must name an architecture"
            )
    return texts


def _by_index(table: Any, order: BenchmarkOrder | None, path: Path) -> list[str]:
    import pyarrow.types as types

    if order is None:
        raise ValueError(
            f"{path} numbers its architectures by index and does not name them: pass order=, a BenchmarkOrder"
        )
    column = table.column("index")
    if not types.is_integer(column.type) or column.null_count:
        raise ValueError(f"{path}: the column index must hold whole numbers alone")
    try:
        return [order.space.format(order.architecture(index)) for index in column.to_pylist()]
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _is_text(kind: Any) -> bool:
    import pyarrow.types as types

    if types.is_dictionary(kind):
        kind = kind.value_type
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _is_number(kind: Any) -> bool:
    import pyarrow.types as types

    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))


def _may_be_metric(name: str, kind: Any) -> bool:
    """Whether a column holds numbers; one without any content does, unless it holds reasons."""
    import pyarrow.types as types

    return _is_number(kind) or bool(types.is_null(kind) and not name.endswith("_reason"))


def _first_text(column: Any) -> str:
    """Where a column of text has the first that is no number, or that it holds numbers as text."""
    for row, value in enumerate(column, start=1):
        text = value.as_py()
        try:
            float(text or "nan")
        except ValueError:
            return f"row {row} holds {shortened(text)!r}, which is no number"
    return "it holds text, not numbers"


def _numbers(column: Any) -> NDArray[np.float64]:
    import pyarrow

    values = column.cast(pyarrow.float64(), safe=False).to_numpy()  # a null becomes NaN
    numbers = np.array(values, dtype=np.float64)
    numbers.flags.writeable = False
    return numbers
