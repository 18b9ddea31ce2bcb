"""Latencies of candidates as the device told them, and on the scale of the table that the predictor knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwnas.latency import Device, measure
from hwnas.latency.measuring.networks import Measurable, network_of
from hwnas.latency.measuring.onnx_file import measure_onnx_and_sentinels
from hwnas.latency.tables.drift import to_scale
from hwnas.latency.tables.entry import Entry

Document = dict[str, Any]


@dataclass(frozen=True)
class Measured:
    """The latency of a candidate.

    Attributes:
        latency_ms: on the scale of the predictor's table, where there is one.
        as_measured_ms: what the clock said.
        flag: `rescaled` where the two differ, since the machine's speed had changed; `drifted` where it
            was disturbed, so that no ratio is right; empty otherwise.
        at_most_ms: the least favourable reading, which bounds are compared with: the larger of the two; of a
            disturbed machine, what the clock said or the sentinel of largest ratio makes of it.
    """

    latency_ms: float
    as_measured_ms: float
    flag: str
    at_most_ms: float


def measure_networks(networks: Sequence[Measurable], device: Device) -> list[Document]:
    """What is kept of each network: its latency and the sentinels' times, or the reason why it failed."""
    table = measure(networks, device, blocks=False)
    return [document_of(table[network_of(item).key], table.meta.sentinels) for item in networks]


def measure_file(path: Path, device: Device) -> Document:
    """What is kept of an ONNX file; raises as `measure_onnx`."""
    entry, sentinels = measure_onnx_and_sentinels(path, device)
    return document_of(entry, sentinels)


def read_measured(document: Document, reference: Mapping[str, float]) -> Measured:
    """The latency in a document without a reason, brought to the scale of sentinels of `reference`.

    Without a reference, or in a document of a version that kept no sentinels, it stays as it was measured.
    """
    latency, own = float(document["latency_ms"]), document.get("sentinels", {})
    ratio = to_scale(own, reference) if own and reference else 1.0
    if ratio is None or document.get("drifted", False):
        largest = max((reference[name] / own[name] for name in own if reference), default=1.0)
        return Measured(latency, latency, "drifted", latency * max(1.0, largest))
    return Measured(latency * ratio, latency, "rescaled" if ratio != 1 else "", latency * max(1.0, ratio))


def is_disturbed(document: Document, reference: Mapping[str, float]) -> bool:
    """Whether `document` holds a latency that was measured on a disturbed machine."""
    return "latency_ms" in document and read_measured(document, reference).flag == "drifted"


def document_of(entry: Entry, sentinels: Mapping[str, float]) -> Document:
    """What is kept of a measurement beside sentinels of these times in microseconds."""
    if entry.failed:
        return {"reason": entry.reason}
    drifted = {"drifted": True} if "drifted" in entry.flags else {}
    return {"latency_ms": entry.latency_ms, "sentinels": dict(sentinels), **drifted}
