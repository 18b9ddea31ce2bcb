"""The progress of a measurement, one JSON line for each finished group, safe against kill -9.

The first line says which device, runtime and protocol the file belongs to. Each further line is one
group with its entries, sentinels and circumstances, written and synced at once; a last line without
its newline was torn by a crash and is cut off.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwnas.json_lines import JsonLines
from hwnas.latency.devices.device import Identity
from hwnas.latency.records import from_plain, to_plain
from hwnas.latency.tables.drift import check_sentinels, reference, to_reference
from hwnas.latency.tables.entry import Entry
from hwnas.latency.tables.environment import Environment, combined
from hwnas.latency.tables.table import LatencyTable, TableMeta, require_comparable
from hwnas.latency.tables.table_files import META

NAME = "journal.jsonl"


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

    def __init__(
        self, identity: Identity, folder: Path | None = None, space: str | None = None, name: str = NAME
    ) -> None:
        self.identity = identity
        self.space = space
        self.records: list[Record] = []
        self._file = JsonLines(folder / name) if folder else None
        if self._file:
            self._open(self._file)

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
        if self._file:
            self._file.append(to_plain(record))
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

    def _open(self, file: JsonLines) -> None:
        lines = file.read()
        if lines:
            self._continue(file.path, lines)
            return
        if not file.path.exists() and (file.path.parent / META).exists():
            raise ValueError(
                f"{file.path.parent} holds a table without {file.path.name}; measure into another folder"
            )
        file.append({"identity": to_plain(self.identity), "space": self.space})

    def _continue(self, path: Path, lines: list[dict[str, Any]]) -> None:
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
