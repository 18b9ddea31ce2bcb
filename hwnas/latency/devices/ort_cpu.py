"""The device ``ort-cpu``: this machine's processor under onnxruntime, timed by protocol ``ort-cpu-v1``.

Models run in a worker process of their own (`worker`), pinned to as many cores as it has threads
where the system allows it. The optimisation level is part of the runtime card: it changes latencies
by a factor of 1.2 to 4.5, and their ranking.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from hwnas.latency.devices.device import Device, DeviceCard, RuntimeCard, register
from hwnas.latency.devices.worker_runner import WorkerRunner, local_environment
from hwnas.latency.timing import host
from hwnas.latency.timing.protocol import ORT_CPU_V1, Protocol


@register("ort-cpu")
class OrtCpu(Device):
    """The processor of this machine under onnxruntime.

    Args:
        threads: threads of one inference, 1 to the number of cores this process may use. More than
            one is only repeatable on an otherwise idle machine.
        protocol: how models are timed.

    Raises:
        ValueError: threads out of range.
    """

    name = "ort-cpu"
    machine = "cpu"

    def __init__(self, threads: int = 1, protocol: Protocol = ORT_CPU_V1) -> None:
        cores = host.usable_cores()
        if not 1 <= threads <= len(cores):
            raise ValueError(f"threads must be 1 to {len(cores)} (the usable cores), not {threads}")
        self.threads = threads
        self.protocol = protocol
        self.cores = sorted(cores[:threads])

    def describe(self) -> DeviceCard:
        """What the processor is."""
        return DeviceCard(kind="cpu", threads=self.threads, **asdict(host.facts()))

    def runtime(self) -> RuntimeCard:
        """Version of onnxruntime and the options of a session."""
        import onnxruntime

        options = {
            "execution_mode": "ORT_SEQUENTIAL",
            "graph_optimization_level": "ORT_ENABLE_ALL",
            "intra_op_num_threads": str(self.threads),
            "inter_op_num_threads": "1",
            "allow_spinning": "1" if self.threads == 1 else "0",
        }
        return RuntimeCard("onnxruntime", onnxruntime.__version__, "CPUExecutionProvider", "float32", options)

    def start(self, keep_open: tuple[int, ...] = ()) -> WorkerRunner:
        """Start a fresh worker process."""
        runtime = self.runtime()
        config = {
            "backend": "onnxruntime",
            "threads": self.threads,
            "cores": self.cores,
            "options": runtime.options,
        }
        return WorkerRunner(
            [sys.executable, "-m", "hwnas.latency.timing.worker", json.dumps(config)],
            runtime.version,
            environment=local_environment(self.threads),
            keep_open=keep_open,
        )
