"""Measure models in groups that fit into memory, each kept in a journal when it is finished.

Groups are as large as that allows: where the speed of a machine changes from minute to minute, as a virtual
machine's with its neighbours, all models that were timed by turns saw the same changes, and those of another
group saw others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict

from hwnas.latency.devices.device import Device, Identity
from hwnas.latency.measuring.campaign import Group, GroupResult
from hwnas.latency.measuring.journal import Journal, Record
from hwnas.latency.measuring.progress import ProgressCallback, Reporter
from hwnas.latency.measuring.subject import Subject
from hwnas.latency.printable import printable
from hwnas.latency.tables.entry import Entry, failed_entry
from hwnas.latency.timing.lock import machine_lock
from hwnas.latency.timing.protocol import Protocol

GROUP_SIZE = 400
_SHARE_OF_MEMORY = 16
_LEAST_BYTES, _MOST_BYTES = 64 << 20, 2 << 30


def measure_subjects(
    subjects: list[Subject],
    device: Device,
    open_journal: Callable[[Identity], Journal],
    *,
    sentinels: Mapping[str, bytes],
    protocol: Protocol | None = None,
    progress: ProgressCallback | None = None,
    seed: int = 0,
) -> Journal:
    """Measure what the journal does not hold yet; models that failed are tried again.

    Args:
        subjects: what to measure.
        device: where; it is locked meanwhile: a second measurement waits, and says so.
        open_journal: opens the journal of an identity, once the device is ours.
        sentinels: name -> ONNX model, see `hwnas.latency.measuring.sentinels`.
        protocol: how to time; the device's own by default.
        progress: called before each round.
        seed: of the order of the models in the rounds.

    Returns:
        The journal, with a record for each group.

    Raises:
        ValueError: from `open_journal`.
        OSError: the journal cannot be written; the message names its folder.
        RunnerDiedError: the worker cannot be started or dies repeatedly without a model to blame.
    """
    identity = device.identity(protocol)
    report = Reporter(progress, len(subjects))
    before = device.reading()
    waiting = f"another measurement holds the {device.machine}; waiting for its end"
    with machine_lock(device.machine, lambda: report(waiting)) as descriptor:
        journal = open_journal(identity)
        known = journal.entries
        missing = [subject for subject in subjects if not _is_measured(subject, known)]
        report.done = len(subjects) - len(missing)
        for number, (group, models) in enumerate(_groups(missing, group_bytes(identity.device.memory_kib))):
            run = Group(
                device,
                models,
                identity.protocol,
                sentinels=sentinels,
                seed=(seed, len(journal.records), number),
                notify=report,
                keep_open=(descriptor,),
                reference=journal.sentinels,
                before=before,
            )
            journal.append(_record(group, run.measure()))
            report.done += len(group)
    report("done")
    return journal


def _is_measured(subject: Subject, known: dict[str, Entry]) -> bool:
    entry = known.get(subject.key)
    return entry is not None and not entry.failed and entry.kind in (subject.kind, "network")


def group_bytes(memory_kib: int | None) -> int:
    """Bytes of the models of one group: loaded, they take several times as much of the device's memory."""
    share = 1024 * memory_kib // _SHARE_OF_MEMORY if memory_kib else 0
    return min(max(share, _LEAST_BYTES), _MOST_BYTES)


def _groups(subjects: list[Subject], most: int) -> Iterator[tuple[list[Subject], dict[str, bytes]]]:
    """Groups of at most `GROUP_SIZE` models and `most` bytes, but for a last one, each with its models."""
    group: list[Subject] = []
    models: dict[str, bytes] = {}
    for subject in subjects:
        group.append(subject)
        models[subject.key] = subject.model()
        if len(group) == GROUP_SIZE or sum(map(len, models.values())) > most:
            yield group, models
            group, models = [], {}
    if group:
        yield group, models


def _record(group: list[Subject], result: GroupResult) -> Record:
    entries = tuple(_entry(subject, result) for subject in group)
    return Record(entries, result.sentinels, result.environment)


def _entry(subject: Subject, result: GroupResult) -> Entry:
    key = subject.key
    if key in result.failures:
        reason = printable(result.failures[key])
        return failed_entry(key, subject.kind, subject.name, reason, blocks=subject.blocks)
    return Entry(
        key,
        subject.kind,
        subject.name,
        **asdict(result.measured[key]),
        flags=flags_of(key, result),
        flops=subject.flops,
        params=subject.params,
        onnx_sha256=result.sha256[key],
        blocks=subject.blocks,
        energy_mj=result.energy_mj.get(key),
    )


def flags_of(key: str, result: GroupResult) -> tuple[str, ...]:
    """The flags of a measured model."""
    flags = {"grouped": key in result.grouped, "unstable": key in result.unstable}
    return tuple(flag for flag, is_set in flags.items() if is_set)
