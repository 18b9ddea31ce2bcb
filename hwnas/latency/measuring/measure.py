"""Measure networks and their blocks on a device: the way from networks to a `LatencyTable`."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

from hwnas.latency.devices.device import Device
from hwnas.latency.measuring.campaign import Group, GroupResult
from hwnas.latency.measuring.journal import Journal, Record
from hwnas.latency.measuring.lock import machine_lock
from hwnas.latency.tables.entry import Entry, failed_entry, is_label
from hwnas.latency.tables.table import LatencyTable
from hwnas.latency.timing.protocol import Protocol as TimingProtocol

if TYPE_CHECKING:
    from hwnas.network import Network

GROUP_SIZE = 24
_GROUP_BYTES = 256 << 20


class HasNetwork(Protocol):
    """Anything with a network: an architecture of a search space. Its ``str`` names it in the table."""

    @property
    def network(self) -> Network:
        """The network that is measured."""


Measurable: TypeAlias = "Network | HasNetwork"


@dataclass(frozen=True)
class Progress:
    """How far a measurement is: models done, all models, and a line about the present step."""

    done: int
    total: int
    message: str


ProgressCallback: TypeAlias = Callable[[Progress], None]


@dataclass(frozen=True)
class Subject:
    """A network or block to be measured; ``blocks`` are a whole network's (key, how often)."""

    key: str
    kind: str
    name: str
    network: Network
    blocks: tuple[tuple[str, int], ...] = ()


def measure(
    networks: Iterable[Measurable],
    device: Device,
    *,
    blocks: bool | Iterable[tuple[str, Network]] = True,
    folder: str | Path | None = None,
    progress: ProgressCallback | None = None,
    protocol: TimingProtocol | None = None,
    seed: int = 0,
    names: Sequence[str] | None = None,
    space: str | None = None,
) -> LatencyTable:
    """Measure whole networks and their distinct blocks.

    With a folder every finished group of models is on the disk at once, and the same call after a
    crash, a kill or Ctrl-C measures only what is missing; models that failed are tried again. The
    finished table is saved there too, with everything the folder's journal holds.

    Args:
        networks: networks, or objects with a ``.network`` (architectures), whose ``str`` becomes the
            name. Equal networks and equal blocks are measured once.
        device: where to measure. It is locked meanwhile: a second measurement waits, and says so.
        blocks: measure the networks' blocks too, or not, or also these further blocks, with their names.
        folder: where the journal and the table are kept; None: only in memory.
        progress: called before each round.
        protocol: how to time; the device's own by default.
        seed: of the order of the models in the rounds.
        names: names of the networks instead of their ``str``.
        space: the search space that the names are architectures of, for the record.

    Returns:
        The table, in microseconds. A model that the runtime refuses has a failed entry with the reason.

    Raises:
        ValueError: no networks, another number of names than networks, or an unprintable name; the
            folder's journal is of another device, runtime or protocol, or damaged.
        OSError: the folder cannot be written; the message names it.
        RunnerDiedError: the worker cannot be started or dies repeatedly without a model to blame.
    """
    subjects = _subjects(list(networks), names, blocks)
    identity = device.identity(protocol)
    report = _Reporter(progress, len(subjects))
    before = device.reading()
    waiting = f"another measurement holds the {device.machine}; waiting for its end"
    with machine_lock(device.machine, lambda: report(waiting)) as descriptor:
        journal = Journal(identity, Path(folder) if folder else None, space)
        known = journal.entries
        missing = [subject for subject in subjects if not _is_measured(subject, known)]
        report.done = len(subjects) - len(missing)
        for number, (group, models) in enumerate(_groups(missing)):
            run = Group(
                device,
                models,
                identity.protocol,
                seed=(seed, len(journal.records), number),
                notify=report,
                keep_open=(descriptor,),
                reference=journal.sentinels,
                before=before,
            )
            journal.append(_record(group, models, run.measure()))
            report.done += len(group)
        table = journal.table()
        if folder:
            table.save(folder)
    report("done")
    return table


def latency_ms(networks: Iterable[Measurable], device: Device) -> list[Entry]:
    """Measure whole networks only and keep nothing: the check of a few candidates.

    Returns:
        One entry for each network, in order; its ``latency_ms`` is NaN if it failed.

    Raises:
        As `measure`.
    """
    listed = list(networks)
    table = measure(listed, device, blocks=False)
    return [table[network_of(item).key] for item in listed]


class _Reporter:
    """Hands lines to a progress callback with the present counts."""

    def __init__(self, progress: ProgressCallback | None, total: int) -> None:
        self.done = 0
        self._total = total
        self._progress = progress

    def __call__(self, message: str) -> None:
        if self._progress:
            self._progress(Progress(self.done, self._total, message))


def network_of(item: Measurable) -> Network:
    """The network of an architecture, or `item` itself."""
    network: Network = getattr(item, "network", item)  # type: ignore[arg-type]
    return network


def _subjects(
    items: list[Measurable], names: Sequence[str] | None, blocks: bool | Iterable[tuple[str, Network]]
) -> list[Subject]:
    if not items:
        raise ValueError("no networks to measure")
    names = [str(item) for item in items] if names is None else names
    if len(names) != len(items):
        raise ValueError(f"{len(names)} names for {len(items)} networks")
    whole: dict[str, Subject] = {}
    parts: dict[str, Subject] = {}
    for item, name in zip(items, names, strict=True):
        if not is_label(name):
            raise ValueError(f"the name {name[:60]!r} is too long or has unprintable characters")
        network = network_of(item)
        inside = list(network.blocks())
        counts = Counter(block.key for _, block in inside)
        whole.setdefault(network.key, Subject(network.key, "network", name, network, tuple(counts.items())))
        for path, block in inside if blocks is not False else ():
            parts.setdefault(block.key, Subject(block.key, "block", printable(path), block))
    for path, block in () if isinstance(blocks, bool) else blocks:
        parts.setdefault(block.key, Subject(block.key, "block", printable(path), block))
    return [*whole.values(), *(part for part in parts.values() if part.key not in whole)]


def _is_measured(subject: Subject, known: dict[str, Entry]) -> bool:
    entry = known.get(subject.key)
    return entry is not None and not entry.failed and entry.kind in (subject.kind, "network")


def _groups(subjects: list[Subject]) -> Iterator[tuple[list[Subject], dict[str, bytes]]]:
    """Groups small enough to be loaded at once, each with its models: memory stays flat."""
    group: list[Subject] = []
    models: dict[str, bytes] = {}
    for subject in subjects:
        group.append(subject)
        models[subject.key] = _onnx(subject.network)
        if len(group) == GROUP_SIZE or sum(map(len, models.values())) > _GROUP_BYTES:
            yield group, models
            group, models = [], {}
    if group:
        yield group, models


def _onnx(network: Network) -> bytes:
    from hwnas.network.to_onnx import to_onnx

    return bytes(to_onnx(network, batch=1).SerializeToString(deterministic=True))


def _record(group: list[Subject], models: dict[str, bytes], result: GroupResult) -> Record:
    entries = tuple(_entry(subject, models[subject.key], result) for subject in group)
    return Record(entries, result.sentinels, result.environment)


def _entry(subject: Subject, model: bytes, result: GroupResult) -> Entry:
    from hwnas.cost import count

    key = subject.key
    if key in result.failures:
        reason = printable(result.failures[key])
        return failed_entry(key, subject.kind, subject.name, reason, blocks=subject.blocks)
    counts = count(subject.network).whole
    return Entry(
        key,
        subject.kind,
        subject.name,
        **asdict(result.measured[key]),
        flags=flags_of(key, result),
        flops=counts.flops,
        params=counts.params,
        onnx_sha256=hashlib.sha256(model).hexdigest(),
        blocks=subject.blocks,
    )


def flags_of(key: str, result: GroupResult) -> tuple[str, ...]:
    """The flags of a measured model."""
    flags = {"grouped": key in result.grouped, "unstable": key in result.unstable}
    return tuple(flag for flag, is_set in flags.items() if is_set)


def printable(text: str) -> str:
    """One line without control characters."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())[:2000]
