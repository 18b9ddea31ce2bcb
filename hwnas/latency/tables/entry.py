"""One row of a latency table: a network or a block, and the statistics of its samples."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

KINDS = ("network", "block", "kernel")
FLAGS = ("unstable", "failed", "rescaled", "drifted", "grouped")
_KEY = re.compile(r"[0-9a-f]{8,128}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TIMES = ("min_us", "p10_us", "p50_us", "p90_us", "mean_us", "cpu_p10_us")
_LONGEST_TEXT = 10_000


@dataclass(frozen=True)
class Entry:
    """Statistics of one model on one device; times in microseconds of one inference, of the device's batch.

    ``p10_us`` is the latency; the others tell how noisy the samples were. ``pass_ratio`` is the 10th
    percentile of the odd passes divided by that of the even ones. A failed entry has ``n`` 0, NaN
    times and a reason.

    Flags: ``unstable`` (passes disagree above the protocol's tolerance), ``failed``, ``rescaled``
    (multiplied by the sentinels' ratio to the table's reference), ``drifted`` (the sentinels moved
    meanwhile, by different amounts: other processes disturbed the group), ``grouped`` (too short for the
    clock: each sample is the mean of several inferences).

    Attributes:
        key: canonical key of the network or block, lower-case hex.
        kind: ``network`` (a whole one), ``block`` or ``kernel`` (layers that the runtime executes as one,
            timed by its own profile).
        name: architecture string, path of the block where it was met first, or what the kernel computes.
        n: number of samples.
        flops: floating-point operations of one sample (2 per multiply-accumulate, see
            `hwnas.cost.count`), or None if not counted.
        params: number of trainable parameters, or None if not counted.
        onnx_sha256: hash of the ONNX file that ran.
        blocks: of a whole network, its parts: (key, how often); kernels in a table of kernels.
        energy_mj: millijoules of one inference, idle power included, or None where no meter could be read.

    Raises:
        ValueError: a value is out of range; the message names the field.
    """

    key: str
    kind: str
    name: str
    n: int
    min_us: float
    p10_us: float
    p50_us: float
    p90_us: float
    mean_us: float
    cpu_p10_us: float
    pass_ratio: float
    flags: tuple[str, ...] = ()
    reason: str = ""
    flops: int | None = None
    params: int | None = None
    onnx_sha256: str | None = None
    blocks: tuple[tuple[str, int], ...] = ()
    energy_mj: float | None = None

    def __post_init__(self) -> None:
        _check_labels(self)
        if self.failed:
            _check_failed(self)
        else:
            _check_times(self)

    @property
    def failed(self) -> bool:
        """Whether the model could not be measured; ``reason`` says why."""
        return "failed" in self.flags

    @property
    def latency_ms(self) -> float:
        """The latency in milliseconds (10th percentile); NaN if failed."""
        return self.p10_us / 1000

    def rescaled(self, ratio: float) -> Entry:
        """The entry with all times multiplied by ``ratio``, flagged ``rescaled``."""
        if self.failed:
            return self
        times: dict[str, Any] = {name: round(getattr(self, name) * ratio, 3) for name in _TIMES}
        return replace(self, **times, flags=tuple(sorted({*self.flags, "rescaled"})))


def failed_entry(
    key: str, kind: str, name: str, reason: str, *, blocks: tuple[tuple[str, int], ...] = ()
) -> Entry:
    """An entry for a model that could not be measured."""
    unknown: dict[str, Any] = dict.fromkeys((*_TIMES, "pass_ratio"), math.nan)
    return Entry(key, kind, name, 0, **unknown, flags=("failed",), reason=reason, blocks=blocks)


def _check_labels(entry: Entry) -> None:
    _require(bool(_KEY.fullmatch(entry.key)), "key", entry.key, "8 to 128 lower-case hex digits")
    _require(entry.kind in KINDS, "kind", entry.kind, " or ".join(KINDS))
    for field in ("name", "reason"):
        text = getattr(entry, field)
        _require(is_label(text), field, text, f"at most {_LONGEST_TEXT} printable characters")
    for flag in entry.flags:
        _require(flag in FLAGS, "flags", flag, f"among {', '.join(FLAGS)}")
    for field in ("flops", "params"):
        count = getattr(entry, field)
        _require(count is None or 0 <= count < 1 << 63, field, count, "0 to 2**63")
    sha = entry.onnx_sha256
    _require(sha is None or bool(_SHA256.fullmatch(sha)), "onnx_sha256", sha, "64 hex digits")
    _require(entry.kind == "network" or not entry.blocks, "blocks", entry.blocks, "empty for a block")
    for key, times in entry.blocks:
        ok = bool(_KEY.fullmatch(key)) and 1 <= times < 1 << 31
        _require(ok, "blocks", (key, times), "keys, each 1 to 2**31 times")


def _check_failed(entry: Entry) -> None:
    _require(entry.n == 0, "n", entry.n, "0 in a failed entry")
    _require(entry.energy_mj is None, "energy_mj", entry.energy_mj, "empty in a failed entry")
    for field in (*_TIMES, "pass_ratio"):
        value = getattr(entry, field)
        _require(math.isnan(value), field, value, "empty in a failed entry")
    _require(entry.reason != "", "reason", entry.reason, "given in a failed entry")


def _check_times(entry: Entry) -> None:
    _require(1 <= entry.n < 1 << 63, "n", entry.n, "at least 1")
    for field in (*_TIMES, "pass_ratio"):
        value = getattr(entry, field)
        _require(math.isfinite(value) and value > 0, field, value, "a finite positive number")
    energy = entry.energy_mj
    _require(energy is None or 0 < energy < math.inf, "energy_mj", energy, "a finite positive number")
    ordered = ("min_us", "p10_us", "p50_us", "p90_us")
    for low, high in pairwise(ordered):
        _require(getattr(entry, low) <= getattr(entry, high), high, getattr(entry, high), f"at least {low}")


def _require(ok: bool, field: str, value: object, rule: str) -> None:
    if not ok:
        raise ValueError(f"{field} is {value!r}; it must be {rule}")


def is_label(text: str) -> bool:
    """Whether a name or reason may stand in a table: short enough, and printable characters only."""
    return len(text) <= _LONGEST_TEXT and all(c.isprintable() for c in text)


def check_space(space: str | None) -> None:
    """Refuse a search space's text that is no label (ValueError); whether hwnas knows it is not asked."""
    if space is not None and not is_label(space):
        raise ValueError(f"space is {space[:60]!r}; it must be at most {_LONGEST_TEXT} printable characters")
