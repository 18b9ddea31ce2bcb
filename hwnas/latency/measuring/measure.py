"""Measure networks and their blocks on a device: the way from networks to a `LatencyTable`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hwnas.latency.devices.device import Device, Identity
from hwnas.latency.measuring.groups import measure_subjects
from hwnas.latency.measuring.journal import Journal
from hwnas.latency.measuring.networks import Measurable, network_of, subjects_of
from hwnas.latency.measuring.progress import ProgressCallback
from hwnas.latency.measuring.sentinels import sentinels
from hwnas.latency.tables.entry import Entry
from hwnas.latency.tables.table import LatencyTable
from hwnas.latency.timing.protocol import Protocol

if TYPE_CHECKING:
    from hwnas.network import Network


def measure(
    networks: Iterable[Measurable],
    device: Device,
    *,
    blocks: bool | Iterable[tuple[str, Network]] = True,
    folder: str | Path | None = None,
    progress: ProgressCallback | None = None,
    protocol: Protocol | None = None,
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
        The table, in microseconds of one inference, of the device's whole batch; operations and parameters
        are those of one sample. A model that the runtime refuses has a failed entry with the reason.

    Raises:
        ValueError: no networks, another number of names than networks, or an unprintable name; the
            folder's journal is of another device, runtime or protocol, or damaged.
        OSError: the folder cannot be written; the message names it.
        RunnerDiedError: the worker cannot be started or dies repeatedly without a model to blame.
    """
    subjects = subjects_of(list(networks), names, blocks, batch=device.batch)

    def open_journal(identity: Identity) -> Journal:
        return Journal(identity, Path(folder) if folder else None, space)

    table = measure_subjects(
        subjects,
        device,
        open_journal,
        sentinels=sentinels(),
        protocol=protocol,
        progress=progress,
        seed=seed,
    ).table()
    if folder:
        table.save(folder)
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
