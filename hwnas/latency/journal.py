"""The progress of a measurement, one JSON line for each finished group, safe against kill -9.

The first line says which device, runtime and protocol the file belongs to. Each further line is one
group with its entries, sentinels and circumstances, written and synced at once; a last line without
its newline was torn by a crash and is cut off.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwnas.latency.device import Identity
from hwnas.latency.drift import check_sentinels, reference, to_reference
from hwnas.latency.entry import Entry
from hwnas.latency.environment import Environment, combined
from hwnas.latency.records import from_plain, to_plain
from hwnas.latency.table import LatencyTable, TableMeta, require_comparable
from hwnas.latency.table_files import META, sync_folder

NAME = "journal.jsonl"
_LARGEST = 1 << 28


@dataclass(frozen=True)
class Record:
    """One measured group; sentinels in microseconds."""

    entries: tuple[Entry, ...]
    sentinels: dict[str, float]
    environment: Environment

    def __post_init__(self) -> None:
        check_sentinels(self.sentinels)


class Journal:
    """Records of one device, runtime and protocol; in memory only when there is no folder.

    Raises:
        DeviceMismatchError: the folder's journal is of another device, runtime or protocol.
        ValueError: the journal is of another search space, or damaged other than by a torn last line, or
            the folder holds a table without its journal, which would be overwritten.
        OSError: the folder cannot be written; the message names it.
    """

    def __init__(self, identity: Identity, folder: Path | None = None, space: str | None = None) -> None:
        self.identity = identity
        self.space = space
        self.records: list[Record] = []
        self._path = folder / NAME if folder else None
        if self._path:
            self._open(self._path)

    @property
    def entries(self) -> dict[str, Entry]:
        """The latest entry of each key, on the scale of the `sentinels`."""
        found: dict[str, Entry] = {}
        scale = self.sentinels
        for record in self.records:
            found.update((e.key, e) for e in to_reference(record.entries, record.sentinels, scale))
        return found

    @property
    def sentinels(self) -> dict[str, float]:
        """The reference: median of each sentinel over the records; empty without records."""
        return reference([record.sentinels for record in self.records]) if self.records else {}

    def append(self, record: Record) -> None:
        """Keep a record; with a folder it is on the disk when this returns.

        Raises:
            OSError: it could not be written; the message names the folder, and the journal is as before.
        """
        if self._path:
            self._write(self._path, to_plain(record))
        self.records.append(record)

    def table(self) -> LatencyTable:
        """The table of all records.

        Raises:
            ValueError: there is no record yet.
        """
        if not self.records:
            raise ValueError("nothing was measured")
        environment = combined([record.environment for record in self.records])
        return LatencyTable(TableMeta(self.identity, self.sentinels, environment, self.space), self.entries)

    def _open(self, path: Path) -> None:
        if path.exists():
            self._read(path)
        elif (path.parent / META).exists():
            raise ValueError(
                f"{path.parent} holds a latency table without {NAME}; measure into another folder"
            )
        if not path.exists() or path.stat().st_size == 0:
            self._write(path, {"identity": to_plain(self.identity), "space": self.space})

    def _read(self, path: Path) -> None:
        if path.stat().st_size > _LARGEST:
            raise ValueError(f"{path}: larger than {_LARGEST} bytes")
        data = path.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        lines = [_parsed(line, f"{path}: line {i}") for i, line in enumerate(whole.splitlines(), start=1)]
        if lines:
            stored = from_plain(Identity, lines[0].get("identity"), f"{path}: line 1")
            require_comparable(stored, self.identity, f"the journal {path} and this device")
            if lines[0].get("space") != self.space:
                raise ValueError(
                    f"{path.parent} holds measurements of space {lines[0].get('space')}, not {self.space}; "
                    "measure into another folder"
                )
        self.records = [
            from_plain(Record, line, f"{path}: line {i}") for i, line in enumerate(lines[1:], start=2)
        ]
        if len(whole) < len(data):
            os.truncate(path, len(whole))

    def _write(self, path: Path, plain: dict[str, Any]) -> None:
        line = json.dumps(plain, allow_nan=False).encode() + b"\n"
        size = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("ab") as file:
                size = file.tell()
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
            sync_folder(path.parent)
        except OSError as error:
            if size is not None:
                os.truncate(path, size)
            raise OSError(
                error.errno, f"cannot write into {path.parent}: {error.strerror or error}"
            ) from error


def _parsed(line: bytes, where: str) -> dict[str, Any]:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{where}: not JSON: {error}") from None
    if not isinstance(data, dict):
        raise ValueError(f"{where}: an object was expected")
    return data
