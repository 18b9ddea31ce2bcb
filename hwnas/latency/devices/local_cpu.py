"""What the devices on this machine's processor share: cores, cards, the worker and the meter."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hwnas.latency.devices.device import Device, DeviceCard
from hwnas.latency.devices.options import checked_batch
from hwnas.latency.devices.worker_runner import WorkerRunner, local_environment
from hwnas.latency.timing import host
from hwnas.latency.timing.lock import PROCESSOR
from hwnas.latency.timing.protocol import Protocol


class LocalCpu(Device):
    """The processor of this machine under some runtime.

    Args:
        threads: threads of one inference, 1 to the number of cores this process may use.
        batch: samples in one inference.
        protocol: how models are timed.

    Attributes:
        powercap: where Linux shows the processor's energy counters.

    Raises:
        ValueError: an option is out of range.
    """

    machine = PROCESSOR
    powercap = Path("/sys/class/powercap")

    def __init__(self, threads: int, batch: int, protocol: Protocol) -> None:
        cores = host.usable_cores()
        if not 1 <= threads <= len(cores):
            raise ValueError(
                f"{self.name}: threads must be 1 to {len(cores)} (the usable cores), not {threads}"
            )
        self.threads = threads
        self.batch = checked_batch(self.name, batch)
        self.protocol = protocol
        self.cores = sorted(cores[:threads])

    def describe(self) -> DeviceCard:
        """What the processor is."""
        return DeviceCard(kind="cpu", threads=self.threads, **asdict(host.facts()))

    def start_worker(
        self, backend: str, version: str, keep_open: tuple[int, ...], **settings: Any
    ) -> WorkerRunner:
        """Start a worker of `backend`, whose runtime must be of `version`, with `settings` of its own."""
        config = {
            "backend": backend,
            "threads": self.threads,
            "cores": self.cores,
            "meter": {"kind": "powercap", "root": str(self.powercap)},
            **settings,
        }
        return WorkerRunner(
            [sys.executable, "-m", "hwnas.latency.timing.worker", json.dumps(config)],
            version,
            environment=local_environment(self.threads),
            keep_open=keep_open,
        )
