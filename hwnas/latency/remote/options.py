"""How onnxruntime is to be used on another machine, whose cores are not known here."""

from __future__ import annotations

from dataclasses import dataclass

from hwnas.latency.devices.device import RuntimeCard
from hwnas.latency.devices.options import checked_batch
from hwnas.latency.devices.ort_cpu import checked_session, onnxruntime_card, prepared

_MOST_THREADS = 1024
_WHERE = "a remote processor"


@dataclass(frozen=True)
class CpuOptions:
    """The options of `hwnas.latency.devices.ort_cpu.OrtCpu`; the machine checks its cores itself.

    Raises:
        ValueError: an option is out of range.
    """

    threads: int = 1
    level: str = "all"
    precision: str = "fp32"
    batch: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.threads <= _MOST_THREADS:
            raise ValueError(f"{_WHERE}: threads must be 1 to {_MOST_THREADS}, not {self.threads}")
        object.__setattr__(self, "precision", checked_session(_WHERE, self.level, self.precision))
        checked_batch(_WHERE, self.batch)

    def card(self, version: str) -> RuntimeCard:
        """What runs the models, given the runtime's version."""
        return onnxruntime_card(version, self.threads, self.level, precision=self.precision, batch=self.batch)

    def prepare(self, model: bytes) -> bytes:
        """The model that runs in place of `model`; see `Device.prepare`."""
        return prepared(model, self.precision)
