"""Two tables of the same device as one."""

from __future__ import annotations

from hwnas.latency.tables.drift import to_reference
from hwnas.latency.tables.entry import Entry
from hwnas.latency.tables.environment import combined
from hwnas.latency.tables.table import LatencyTable, TableMeta, require_comparable


def merge(a: LatencyTable, b: LatencyTable) -> LatencyTable:
    """All entries of both tables, on the scale of ``a``.

    Where the two tables' sentinels differ by more than 1 %, entries of ``b`` are multiplied by the
    ratio and flagged ``rescaled``; see `hwnas.latency.tables.drift.to_reference`.

    Of two entries with one key the more stable is kept: measured before failed, unflagged before
    unstable or drifted, then the smaller disagreement of passes, then ``a``. The ids of both become
    the parents.

    Raises:
        DeviceMismatchError: device, runtime or protocol differ; the message names the fields.
        ValueError: the tables have different sentinels, or one is of blocks and the other of kernels.
    """
    require_comparable(a.meta.identity, b.meta.identity, "the two tables")
    if (a.blocks and b.kernels) or (a.kernels and b.blocks):
        raise ValueError("one table is of blocks and the other of kernels: a network's parts are either")
    entries = dict(a.entries)
    for entry in to_reference(list(b), b.meta.sentinels, a.meta.sentinels):
        present = entries.get(entry.key)
        if present is None or _instability(entry) < _instability(present):
            entries[entry.key] = entry
    meta = TableMeta(
        identity=a.meta.identity,
        sentinels=a.meta.sentinels,
        environment=combined([a.meta.environment, b.meta.environment]),
        space=a.meta.space if a.meta.space == b.meta.space else None,
        parents=(a.table_id, b.table_id),
    )
    return LatencyTable(meta, entries)


def _instability(entry: Entry) -> tuple[bool, bool, float]:
    """Sorts the more stable entry first."""
    return (
        entry.failed,
        bool({"unstable", "drifted"} & set(entry.flags)),
        0.0 if entry.failed else abs(entry.pass_ratio - 1),
    )
