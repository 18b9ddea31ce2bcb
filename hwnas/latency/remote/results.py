"""Read what a device made of a bundle. The results are somebody else's file: nothing in them is believed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from hwnas.files import read_file
from hwnas.latency.devices.device import Identity
from hwnas.latency.measuring.journal import Journal, Record
from hwnas.latency.records import from_plain
from hwnas.latency.remote.manifest import RESULTS, Manifest, read_manifest
from hwnas.latency.tables.entry import Entry, is_label
from hwnas.latency.tables.table import LatencyTable, require_comparable
from hwnas.latency.tables.table_files import META
from hwnas.latency.timing.protocol import Protocol

_LARGEST = 1 << 28


def read_results(folder: Path) -> LatencyTable:
    """The table that a bundle's ``results.jsonl`` holds; a last line without its newline is left out.

    Names, blocks and counts are the manifest's; only measured values are taken from the results.

    Raises:
        FileNotFoundError: manifest or results are missing.
        ValueError: something in the results cannot be of this bundle; the message names line and field.
    """
    manifest = read_manifest(folder)
    path = folder / RESULTS
    head, *lines = _lines(path)
    journal = Journal(_identity(head, manifest, f"{path}: line 1"), space=manifest.space)
    expected = {model.key: model.entry("-") for model in manifest.models}
    for number, line in enumerate(lines, start=2):
        journal.append(_record(line, manifest, expected, f"{path}: line {number}"))
    if not journal.records:
        raise ValueError(f"{path}: nothing was measured yet; run the runner on the device")
    return journal.table()


def save_results(table: LatencyTable, folder: Path) -> None:
    """Save the table of a bundle; of what stands there only an earlier state of the same is replaced.

    Raises:
        DeviceMismatchError: the folder holds a table of another device, runtime or protocol.
        ValueError: it holds entries that this table has not.
        OSError: the folder cannot be written.
    """
    if (folder / META).exists():
        present = LatencyTable.load(folder)
        require_comparable(
            present.meta.identity, table.meta.identity, f"the table in {folder} and the results"
        )
        if present.entries.keys() - table.entries.keys():
            raise ValueError(f"{folder} holds a table with entries that the results lack; give another --out")
    table.save(folder)


def _lines(path: Path) -> list[Any]:
    data = read_file(path, _LARGEST)
    whole = data[: data.rfind(b"\n") + 1].splitlines()
    if not whole:
        raise ValueError(f"{path}: empty; run the runner on the device")
    return [_parsed(line, f"{path}: line {number}") for number, line in enumerate(whole, start=1)]


def _parsed(line: bytes, where: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{where}: not JSON: {error}") from None


def _identity(line: Any, manifest: Manifest, where: str) -> Identity:
    if not isinstance(line, dict) or line.keys() != {"identity", "space"}:
        raise ValueError(f"{where}: an object with identity and space was expected")
    _check_texts(line, where)
    identity = from_plain(Identity, line["identity"], where)
    expected = {
        "threads": (identity.device.threads, manifest.options.threads),
        "runtime": (identity.runtime, manifest.options.card(identity.runtime.version)),
        "protocol": (identity.protocol, manifest.protocol),
        "space": (line["space"], manifest.space),
    }
    for name, (found, right) in expected.items():
        if found != right:
            raise ValueError(f"{where}: {name} is {found!r}, but the bundle's is {right!r}")
    return identity


def _record(line: Any, manifest: Manifest, expected: Mapping[str, Entry], where: str) -> Record:
    _check_texts(line, where)
    record = from_plain(Record, line, where)
    if record.sentinels.keys() != manifest.sentinels.keys():
        raise ValueError(f"{where}: the sentinels are {sorted(record.sentinels)}")
    most = most_samples(manifest.protocol)
    for entry in record.entries:
        if entry.key not in expected:
            raise ValueError(f"{where}: key {entry.key} is not of this bundle")
        if entry.n > most:
            raise ValueError(f"{where}: n is {entry.n} for {entry.key}; the protocol takes at most {most}")
        _check_unchanged(entry, expected[entry.key], where)
    environment = replace(record.environment, onnx_version=manifest.onnx_version)
    return replace(record, environment=environment)


def most_samples(protocol: Protocol) -> int:
    """Samples of an entry when all extra passes were needed."""
    return (protocol.passes + protocol.max_extra) * protocol.rounds * protocol.chunk


def _check_unchanged(entry: Entry, ours: Entry, where: str) -> None:
    for field in ("kind", "name", "blocks"):
        _require_equal(entry, ours, field, where)
    for field in () if entry.failed else ("flops", "params", "onnx_sha256"):
        _require_equal(entry, ours, field, where)


def _require_equal(entry: Entry, ours: Entry, field: str, where: str) -> None:
    found, right = getattr(entry, field), getattr(ours, field)
    if found != right:
        raise ValueError(f"{where}: {field} of {entry.key} is {str(found)[:80]!r}, not the bundle's")


def _check_texts(data: Any, where: str) -> None:
    """Refuse texts that are long or hold control characters, wherever they are."""
    waiting = [data]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += [*value.keys(), *value.values()]
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str) and not is_label(value):
            raise ValueError(f"{where}: the text {value[:60]!r} is too long or has unprintable characters")
