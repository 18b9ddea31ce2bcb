"""What the devices on this machine's NVIDIA GPU share: the card, the worker and the meter."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from hwnas.latency.devices.device import Device, DeviceCard, RuntimeCard
from hwnas.latency.devices.options import checked_batch
from hwnas.latency.devices.worker_runner import WorkerRunner, local_environment
from hwnas.latency.timing import host
from hwnas.latency.timing.lock import PROCESSOR
from hwnas.latency.timing.nvml import gpu_settings
from hwnas.latency.timing.protocol import Protocol

_DRIVER = Path("/sys/module/nvidia/version")


class LocalGpu(Device):
    """The first GPU of this machine that CUDA shows to this process, under some runtime.

    Args:
        batch: samples in one inference.
        protocol: how models are timed.

    Raises:
        ValueError: this machine has no such device, or the batch is out of range.
    """

    machine = PROCESSOR  # the processor starts the GPU's work: nothing else may be measured on it

    def __init__(self, batch: int, protocol: Protocol) -> None:
        reason = self.unavailable()
        if reason:
            raise ValueError(f"{self.name}: {reason}")
        self.batch = checked_batch(self.name, batch)
        self.protocol = protocol

    @classmethod
    def unavailable(cls) -> str | None:
        """Why torch sees no GPU, or None where it does."""
        import torch

        if torch.version.cuda is None:
            return f"torch {torch.__version__} is built without CUDA"
        return None if torch.cuda.is_available() else "torch sees no CUDA GPU"

    def describe(self) -> DeviceCard:
        """What the GPU is; ``cores`` are its multiprocessors, memory is its own."""
        import torch

        gpu = torch.cuda.get_device_properties(0)
        return DeviceCard(
            kind="gpu",
            vendor="NVIDIA",
            model=f"{gpu.name} (compute {gpu.major}.{gpu.minor})",
            flags_digest=None,
            cores=gpu.multi_processor_count,
            threads=1,
            governor=None,
            virtual=host.is_virtual(),
            maximum_mhz=None,
            memory_kib=gpu.total_memory // 1024,
            os=host.operating_system(),
        )

    def start_worker(
        self, backend: str, card: RuntimeCard, keep_open: tuple[int, ...], **settings: Any
    ) -> WorkerRunner:
        """Start a worker of `backend` on this GPU, with `settings` of its own."""
        config = {
            "backend": backend,
            "threads": 1,
            "cores": [],
            "meter": {"kind": "nvml", "uuid": _uuid()},
            "precision": card.precision,
            "options": card.options,
            **settings,
        }
        return WorkerRunner(
            [sys.executable, "-m", "hwnas.latency.timing.worker", json.dumps(config)],
            card.version,
            environment=local_environment(1),
            keep_open=keep_open,
        )


def shared_options() -> dict[str, str]:
    """What must not be mixed under any runtime.

    CUDA, cuDNN, driver, the processor that starts kernels, and how fast the GPU may run.
    """
    import torch

    return {
        "cuda": str(torch.version.cuda),
        "cudnn": str(torch.backends.cudnn.version()),  # type: ignore[no-untyped-call]
        "driver": _driver_version(),
        "host": host.cpu_model(),
        **gpu_settings(_uuid()),
    }


def _uuid() -> str:
    import torch

    return f"GPU-{torch.cuda.get_device_properties(0).uuid}"


def _driver_version() -> str:
    """Version of NVIDIA's driver, or ``unknown``."""
    try:
        return _DRIVER.read_text().strip()
    except OSError:
        return "unknown"
