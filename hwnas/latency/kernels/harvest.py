"""A table of kernels from a few networks, each timed as a whole and by the runtime's own profile."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from hwnas.latency.devices.device import Device, Identity
from hwnas.latency.kernels.lowering import kernel_counts
from hwnas.latency.kernels.profiling import profile_kernels
from hwnas.latency.measuring.groups import measure_subjects
from hwnas.latency.measuring.journal import Journal, Record
from hwnas.latency.measuring.networks import Measurable, network_of, subjects_of
from hwnas.latency.measuring.progress import ProgressCallback
from hwnas.latency.measuring.sentinels import sentinels
from hwnas.latency.measuring.subject import Subject
from hwnas.latency.tables.entry import Entry
from hwnas.latency.tables.table import LatencyTable
from hwnas.latency.timing.protocol import Protocol
from hwnas.network.network import Network


def measure_kernels(
    networks: Iterable[Measurable],
    device: Device,
    *,
    folder: str | Path | None = None,
    progress: ProgressCallback | None = None,
    protocol: Protocol | None = None,
    seed: int = 0,
    names: Sequence[str] | None = None,
    space: str | None = None,
) -> LatencyTable:
    """Measure whole networks, and by the runtime's profile the kernels that they are executed as.

    No block is exported, so any network will do. What profiling adds to a node is measured and taken off
    (`hwnas.latency.kernels.overhead`); what remains, the line takes away that a `kernel` predictor fits on
    the whole networks. Kernels of a few microseconds still come out too long, by up to one.

    With a folder the measurement of the whole networks resumes after a crash; the profiles, seconds for a
    few networks, are taken last.

    A network that is a kernel of another one, or has the same layers, is timed as a network only: its entry
    stands for the kernel too.

    Args:
        networks: networks, or objects with a ``.network`` (architectures), whose ``str`` becomes the name.
        device: where to measure; its runtime must have a profile (onnxruntime's).
        folder: where the journal and the table are kept, one that holds no table of blocks.
        progress: called before each step.
        protocol: how to time; the device's own by default.
        seed: of the order of the models.
        names: names of the networks instead of their ``str``.
        space: the search space that the names are architectures of, for the record.

    Returns:
        A table of networks and kernels; a network's ``blocks`` are its kernels.

    Raises:
        ValueError: as `hwnas.latency.measure`; the folder holds a table of blocks.
        ModelFailedError: the runtime has no profile, or refuses a network.
        OSError: the folder cannot be written; the message names it.
        RunnerDiedError: the worker dies.
    """
    listed = list(networks)
    whole = {network.key: network for network in map(network_of, listed)}
    subjects = [
        _with_kernels(one, whole[one.key])
        for one in subjects_of(listed, names, blocks=False, batch=device.batch)
    ]

    def open_journal(identity: Identity) -> Journal:
        journal = Journal(identity, Path(folder) if folder else None, space)
        _check_is_of_kernels(journal, subjects, folder)
        return journal

    journal = measure_subjects(
        subjects,
        device,
        open_journal,
        sentinels=sentinels(),
        protocol=protocol,
        progress=progress,
        seed=seed,
    )
    known = journal.entries
    profiled = [subject for subject in subjects if not known[subject.key].failed]
    if any(_is_missing(key, known) for subject in profiled for key, _ in subject.blocks):
        parts = [(subject, whole[subject.key]) for subject in profiled]
        found = profile_kernels(parts, device, journal.identity.protocol, progress, seed)
        journal.append(_without(found, {subject.key for subject in profiled}))
    table = journal.table()
    if folder:
        table.save(folder)
    return table


def _with_kernels(subject: Subject, network: Network) -> Subject:
    return replace(subject, blocks=tuple(kernel_counts(network).items()))


def _is_missing(kernel: str, known: Mapping[str, Entry]) -> bool:
    return kernel not in known or known[kernel].failed


def _without(record: Record, measured: Collection[str]) -> Record:
    """The record without kernels that are measured networks, whose entries they would replace."""
    return replace(record, entries=tuple(entry for entry in record.entries if entry.key not in measured))


def _check_is_of_kernels(journal: Journal, subjects: Sequence[Subject], folder: str | Path | None) -> None:
    known = journal.entries
    mixed = any(entry.kind == "block" for entry in known.values()) or any(
        subject.key in known
        and known[subject.key].kind == "network"
        and dict(known[subject.key].blocks) != dict(subject.blocks)
        for subject in subjects
    )
    if mixed:
        raise ValueError(f"{folder} holds a table of blocks; measure kernels into another folder")
