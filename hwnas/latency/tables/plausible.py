"""Whether the numbers of a table can be true: its units, clocks, sums and stability.

`LatencyTable.load` refuses what is no table; this asks whether a well-formed one says possible things.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from hwnas.latency.tables.entry import Entry
from hwnas.latency.tables.table import LatencyTable
from hwnas.latency.timing.protocol import ESTIMATE

FASTEST, SLOWEST = 1e14, 1e5
"""Floating-point operations per second of one CPU thread beyond which a latency cannot be one."""

FASTEST_ACCELERATOR = 1e17

_SENTINEL_FLOPS = {"sentinel-dense": 2 * 2 * 9 * 32 * 32 * 28 * 28}
_FROM_SENTINELS = 50.0
_ENOUGH_FLOPS = 1e6
_SUMS = (0.3, 4.0)
_WATTS = (1e-4, 5e3)
_UNSTABLE_SHARE = 0.2
_FEW_SAMPLES = 20


@dataclass(frozen=True)
class Finding:
    """Something about a table that is wrong (``is_error``) or deserves a look."""

    is_error: bool
    message: str


def findings(table: LatencyTable) -> list[Finding]:
    """All that is implausible in a table, errors first."""
    checks = (_rates, _units, _clocks, _means, _energies, _sums, _unstable, _samples, _failures)
    found = [finding for check in checks for finding in check(table)]
    return sorted(found, key=lambda finding: not finding.is_error)


def check_plausible(table: LatencyTable) -> None:
    """Refuse a table whose numbers cannot be what its columns say, such as seconds among microseconds.

    Raises:
        ValueError: the first error of `findings`.
    """
    errors = [finding for finding in findings(table) if finding.is_error]
    if errors:
        raise ValueError(f"the table is implausible: {errors[0].message}")


def _measured(table: LatencyTable) -> list[Entry]:
    return [entry for entry in table if not entry.failed]


def _rate(entry: Entry) -> float:
    """Floating-point operations per second, bounded so that a nonsensical time is a number too."""
    return min((entry.flops or 0) / max(entry.p10_us * 1e-6, 1e-30), 1e60)


def _working(table: LatencyTable) -> list[Entry]:
    """Entries with enough arithmetic for a rate to mean something."""
    return [entry for entry in _measured(table) if (entry.flops or 0) >= _ENOUGH_FLOPS]


def _rates(table: LatencyTable) -> Iterator[Finding]:
    """Rates beyond what a thread can do."""
    device = table.meta.identity.device
    fastest = FASTEST * device.threads if device.kind == "cpu" else FASTEST_ACCELERATOR
    for entry in _working(table):
        rate = _rate(entry)
        if not SLOWEST < rate < fastest:
            yield Finding(
                True,
                f"{_named(entry)}: {entry.p10_us} µs for {entry.flops} FLOPs are {rate:.1e} FLOP/s, which "
                f"{'no device reaches' if rate >= fastest else 'is slower than any'}: is p10_us in µs?",
            )
            return


def _units(table: LatencyTable) -> Iterator[Finding]:
    """The best rate against the sentinel's, on a CPU: a factor of 1,000 is a unit mixed up."""
    sentinel = "sentinel-dense"
    working = _working(table)
    if table.meta.identity.device.kind != "cpu" or sentinel not in table.meta.sentinels or not working:
        return
    own = _SENTINEL_FLOPS[sentinel] / (table.meta.sentinels[sentinel] * 1e-6)
    factor = max(map(_rate, working)) / own
    if 1 / _FROM_SENTINELS <= factor <= _FROM_SENTINELS:
        return
    thousands = 1000.0 ** round(math.log(factor, 1000)) or 1.0
    unit = {1e3: "milliseconds", 1e6: "seconds", 1e-3: "nanoseconds"}.get(round(thousands, 9), "another unit")
    yield Finding(
        True,
        f"the fastest entries do {factor:.0e} times the operations per second of {sentinel}: the times of "
        f"entries or sentinels seem to be in {unit}; both must be microseconds",
    )


def _clocks(table: LatencyTable) -> Iterator[Finding]:
    """With one thread, the CPU time of a run is at most its wall time, and not far below it."""
    device = table.meta.identity.device
    if device.kind != "cpu" or device.threads != 1:
        return
    for entry in _measured(table):
        ratio = entry.p10_us / entry.cpu_p10_us
        if not 0.5 < ratio < 100:
            yield Finding(
                True,
                f"{_named(entry)}: p10_us is {entry.p10_us} and cpu_p10_us {entry.cpu_p10_us}; one thread's "
                "CPU time is about its wall time: the columns have different units",
            )
            return


def _means(table: LatencyTable) -> Iterator[Finding]:
    for entry in _measured(table):
        if entry.mean_us < entry.min_us:
            yield Finding(True, f"{_named(entry)}: mean_us {entry.mean_us} is below min_us {entry.min_us}")
            return


def _energies(table: LatencyTable) -> Iterator[Finding]:
    for entry in _measured(table):
        watts = None if entry.energy_mj is None else entry.energy_mj / entry.latency_ms
        if watts is not None and not _WATTS[0] < watts < _WATTS[1]:
            yield Finding(
                True,
                f"{_named(entry)}: {entry.energy_mj} mJ in {entry.latency_ms} ms are {watts:.1e} W: "
                "is energy_mj in millijoules?",
            )
            return


def _sums(table: LatencyTable) -> Iterator[Finding]:
    """Networks against the sums of their parts."""
    ratios = [ratio for entry in table.networks if not entry.failed for ratio in _sum_ratio(entry, table)]
    if ratios and not _SUMS[0] < median(ratios) < _SUMS[1]:
        yield Finding(
            True,
            f"the parts of a network sum to {median(ratios):.2g} times its latency (median of {len(ratios)}),"
            f" not {_SUMS[0]} to {_SUMS[1]} times: networks and parts are not of one device or unit",
        )


def _sum_ratio(entry: Entry, table: LatencyTable) -> list[float]:
    parts = [(table.entries.get(key), times) for key, times in entry.blocks]
    if not parts or any(part is None or part.failed for part, _ in parts):
        return []
    return [sum(part.p10_us * times for part, times in parts if part) / entry.p10_us]


def _unstable(table: LatencyTable) -> Iterator[Finding]:
    measured = _measured(table)
    unstable = sum(bool({"unstable", "drifted"} & set(entry.flags)) for entry in measured)
    if measured and unstable > _UNSTABLE_SHARE * len(measured):
        yield Finding(
            False,
            f"{unstable} of {len(measured)} entries are unstable or drifted: the machine was disturbed",
        )


def _samples(table: LatencyTable) -> Iterator[Finding]:
    if table.meta.identity.protocol == ESTIMATE:
        return
    few = [entry for entry in _measured(table) if entry.n < _FEW_SAMPLES]
    if few:
        yield Finding(
            False,
            f"{len(few)} entries rest on fewer than {_FEW_SAMPLES} samples, such as {_named(few[0])} with "
            f"{few[0].n}",
        )


def _failures(table: LatencyTable) -> Iterator[Finding]:
    failed = [entry for entry in table if entry.failed]
    if failed:
        is_all = len(failed) == len(table)
        yield Finding(
            is_all,
            f"{len(failed)} of {len(table)} entries failed, such as {failed[0].name}: {failed[0].reason}",
        )


def _named(entry: Entry) -> str:
    return f"{entry.kind} {entry.name[:60] or '(no name)'} (key {entry.key[:12]})"
