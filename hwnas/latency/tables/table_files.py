"""Latency tables as folders: ``meta.json``, ``entries.csv`` (blocks or kernels) and ``networks.csv``.

Both CSV files have the fields of `Entry` as columns, times in microseconds; a network's ``blocks``
column lists ``key:count`` pairs, so that a look-up predictor can be fitted from the folder alone. A name or
reason that a spreadsheet would run as a formula is written behind an apostrophe.
Loading checks everything and trusts nothing: sizes, columns, every field, the content hash.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import fields
from pathlib import Path
from typing import Any

from hwnas.csv_rows import csv_rows
from hwnas.files import read_file, write_together
from hwnas.latency.records import from_plain, to_plain
from hwnas.latency.tables.entry import Entry
from hwnas.latency.tables.table import SCHEMA_VERSION, LatencyTable, TableMeta

META, ENTRIES, NETWORKS = "meta.json", "entries.csv", "networks.csv"
COLUMNS = [field.name for field in fields(Entry)]
_LARGEST = {META: 1 << 20, ENTRIES: 1 << 26, NETWORKS: 1 << 26}
_WHOLE = {"n", "flops", "params"}
_TEXT = {"key", "kind", "name", "reason", "onnx_sha256"}
_FORMULA = ("=", "+", "-", "@")
_SHIELD = "'"
_SHIELDED = {"name", "reason"}
_OPTIONAL = {"flops", "params", "onnx_sha256", "energy_mj"}


def save(table: LatencyTable, folder: Path) -> None:
    """Write a table into a folder, which is made if need be; other files there stay.

    A table that stood there is replaced file by file, ``meta.json`` last: a machine that stops meanwhile
    leaves a mixture, which `load` detects by its content hash.

    Raises:
        OSError: the folder cannot be written, for instance the disk is full; the message names it,
            and what stood there is unchanged.
    """
    contents = {
        ENTRIES: _csv([*table.blocks, *table.kernels]),
        NETWORKS: _csv(table.networks),
        META: _meta(table),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_together(folder, {name: text.encode() for name, text in contents.items()})
    except OSError as error:
        raise OSError(
            error.errno, f"cannot save the latency table in {folder}: {error.strerror or error}"
        ) from error


def load(folder: Path) -> LatencyTable:
    """Read a table.

    Raises:
        FileNotFoundError: the folder or one of its files is missing.
        ValueError: a file is no plain one, too large, damaged or of another version; the message names
            file, row (the first below the header is 1) and field.
    """
    stored = _read_json(folder / META)
    version = stored.pop("schema_version", None)
    if version != SCHEMA_VERSION:
        raise ValueError(
            f"{folder / META}: schema_version is {version!r}; this version reads {SCHEMA_VERSION}"
        )
    table_id = stored.pop("table_id", None)
    meta = from_plain(TableMeta, stored, str(folder / META))
    entries: dict[str, Entry] = {}
    for name, kinds in ((ENTRIES, ("block", "kernel")), (NETWORKS, ("network",))):
        for row, entry in enumerate(_read_csv(folder / name), start=1):
            if entry.kind not in kinds:
                raise ValueError(
                    f"{folder / name}: row {row}: kind is {entry.kind!r}; it must be {' or '.join(kinds)}"
                )
            if entry.key in entries:
                raise ValueError(f"{folder / name}: row {row}: key {entry.key} occurs twice")
            entries[entry.key] = entry
    table = LatencyTable(meta, entries)
    if table.table_id != table_id:
        raise ValueError(f"{folder}: the content does not match table_id in {META}: the table was altered")
    return table


def _meta(table: LatencyTable) -> str:
    head = {"schema_version": SCHEMA_VERSION, "table_id": table.table_id}
    return json.dumps({**head, **to_plain(table.meta)}, indent=2, allow_nan=False) + "\n"


def _csv(entries: list[Entry]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([_cell(name, value) for name, value in to_plain(entry).items()] for entry in entries)
    return text.getvalue()


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name == "flags":
        return " ".join(value)
    if name == "blocks":
        return " ".join(f"{key}:{count}" for key, count in value)
    if name in _SHIELDED and value.startswith((*_FORMULA, _SHIELD)):
        return f"{_SHIELD}{value}"
    return repr(value) if isinstance(value, float) else str(value)


def _read_json(path: Path) -> dict[str, Any]:
    content = read_file(path, _LARGEST[path.name])
    try:
        data = json.loads(content.decode())
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not UTF-8: {error}") from None
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"{path}: not JSON: {error}") from None
    if not isinstance(data, dict):
        raise ValueError(f"{path}: an object was expected")
    return data


def _read_csv(path: Path) -> list[Entry]:
    return [_entry(row, where) for where, row in csv_rows(path, COLUMNS, _LARGEST[path.name])]


def _entry(row: list[str], where: str) -> Entry:
    plain = {
        name: _parsed(name, text, f"{where}: field {name!r}") for name, text in zip(COLUMNS, row, strict=True)
    }
    return from_plain(Entry, plain, where)


def _parsed(name: str, text: str, where: str) -> Any:
    try:
        if text == "" and name in _OPTIONAL:
            return None
        if name in _SHIELDED:
            return _unshielded(text)
        if name in _TEXT:
            return text
        if name == "flags":
            return text.split()
        if name == "blocks":
            return [[key, int(count)] for key, count in (pair.split(":") for pair in text.split())]
        if name in _WHOLE:
            return int(text)
        return float(text) if text else None
    except ValueError:
        raise ValueError(f"{where}: {text[:60]!r} cannot be read") from None


def _unshielded(text: str) -> str:
    if text.startswith(_FORMULA):
        raise ValueError("a spreadsheet would run it as a formula")
    return text.removeprefix(_SHIELD)
