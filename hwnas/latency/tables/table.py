"""A latency table: what a device said about networks and blocks, and how it was asked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from hwnas.latency.devices.device import Device, Identity
from hwnas.latency.records import to_plain
from hwnas.latency.tables.drift import check_sentinels
from hwnas.latency.tables.entry import Entry, check_space
from hwnas.latency.tables.environment import Environment

SCHEMA_VERSION = 1


class DeviceMismatchError(ValueError):
    """Numbers of one device, runtime or protocol were about to be used for another."""


@dataclass(frozen=True)
class TableMeta:
    """How a table was measured.

    Attributes:
        identity: device, runtime and protocol.
        sentinels: name -> 10th percentile in microseconds: the table's reference.
        environment: circumstances of the measurement.
        space: the search space that the names of the networks are architectures of, or None.
        parents: ids of the tables this one was merged from.

    Raises:
        ValueError: a sentinel's time, the space or a parent cannot be one; the message names the field.
    """

    identity: Identity
    sentinels: dict[str, float]
    environment: Environment
    space: str | None = None
    parents: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_sentinels(self.sentinels)
        check_space(self.space)
        for parent in self.parents:
            if len(parent) != 64:
                raise ValueError(f"parents: {parent!r} is not a table id")


@dataclass(frozen=True)
class LatencyTable:
    """Entries by key, with how they were measured. Tables are not changed; `merge` makes a new one.

    >>> table[network.key].latency_ms                           # doctest: +SKIP

    Raises:
        ValueError: an entry stands under a key that is not its own.
    """

    meta: TableMeta
    entries: Mapping[str, Entry]

    def __post_init__(self) -> None:
        for key, entry in self.entries.items():
            if key != entry.key:
                raise ValueError(f"entry {entry.key} stands under the key {key}")

    def __getitem__(self, key: str) -> Entry:
        """The entry of a network or block.

        Raises:
            KeyError: it was not measured.
        """
        try:
            return self.entries[key]
        except KeyError:
            raise KeyError(f"{key} is not among the {len(self.entries)} entries of this table") from None

    def __contains__(self, key: object) -> bool:
        return key in self.entries

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries.values())

    @property
    def networks(self) -> list[Entry]:
        """Entries of whole networks, failed ones included."""
        return [entry for entry in self if entry.kind == "network"]

    @property
    def blocks(self) -> list[Entry]:
        """Entries of blocks, failed ones included."""
        return [entry for entry in self if entry.kind == "block"]

    @property
    def kernels(self) -> list[Entry]:
        """Entries of kernels, failed ones included."""
        return [entry for entry in self if entry.kind == "kernel"]

    @cached_property
    def table_id(self) -> str:
        """SHA-256 of the content: equal tables have equal ids, wherever they are saved."""
        rows = sorted(self, key=lambda entry: entry.key)
        content = {"schema_version": SCHEMA_VERSION, "meta": to_plain(self.meta), "entries": to_plain(rows)}
        return hashlib.sha256(json.dumps(content, sort_keys=True, allow_nan=False).encode()).hexdigest()

    def require_same_device(self, device: Device) -> None:
        """Refuse a device whose numbers are not comparable with this table's.

        Raises:
            DeviceMismatchError: device, runtime or protocol differ; the message names the fields.
        """
        require_comparable(self.meta.identity, device.identity(), f"this table and device {device.name!r}")

    def save(self, folder: str | Path) -> None:
        """Write the table; see `hwnas.latency.tables.table_files.save`."""
        from hwnas.latency.tables.table_files import save

        save(self, Path(folder))

    @classmethod
    def load(cls, folder: str | Path) -> LatencyTable:
        """Read a table and check every field; see `hwnas.latency.tables.table_files.load`."""
        from hwnas.latency.tables.table_files import load

        return load(Path(folder))


def require_comparable(ours: Identity, theirs: Identity, what: str) -> None:
    """Refuse two identities that differ.

    Raises:
        DeviceMismatchError: naming the fields that differ.
    """
    if differences := ours.differences(theirs):
        raise DeviceMismatchError(f"{what} differ in {'; '.join(differences)}")
