"""What NVML tells of an NVIDIA GPU: its energy counter (since Volta), and settings that change latencies."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

UNKNOWN = "unknown"


class NvmlMeter:
    """The counter of one GPU, in millijoules since the driver was loaded: the whole board's energy.

    Args:
        uuid: of the GPU, such as ``GPU-5f2c...``.

    Raises:
        ImportError: nvidia-ml-py is not installed.
        ValueError: the driver knows no such GPU, or it has no counter.
    """

    def __init__(self, uuid: str) -> None:
        self._nvml = _nvml()
        try:
            self._nvml.nvmlInit()
            self._gpu = self._nvml.nvmlDeviceGetHandleByUUID(uuid)
            self.description = f"NVML total energy of {_text(self._nvml.nvmlDeviceGetName(self._gpu))}"
            self.read()
        except self._nvml.NVMLError as error:
            raise ValueError(f"NVML gives no energy of {uuid}: {error}") from error

    def read(self) -> tuple[int, ...]:
        """The counter, in millijoules."""
        return (int(self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._gpu)),)

    def joules(self, before: tuple[int, ...], after: tuple[int, ...]) -> float:
        """Energy between two readings; 64 bits of millijoules do not wrap around."""
        return (after[0] - before[0]) / 1000


def gpu_settings(uuid: str) -> dict[str, str]:
    """Power limit, application clocks and MIG mode of a GPU, each ``unknown`` where it cannot be read."""
    return {
        name: _setting(uuid, read)
        for name, read in {
            "power_limit": lambda nvml, gpu: f"{nvml.nvmlDeviceGetEnforcedPowerLimit(gpu) / 1000:g} W",
            "application_clocks": _application_clocks,
            "mig": lambda nvml, gpu: "enabled" if nvml.nvmlDeviceGetMigMode(gpu)[0] else "disabled",
        }.items()
    }


def _setting(uuid: str, read: Callable[[Any, Any], str]) -> str:
    try:
        nvml = _nvml()
    except ImportError:
        return UNKNOWN
    try:
        nvml.nvmlInit()
        return read(nvml, nvml.nvmlDeviceGetHandleByUUID(uuid))
    except nvml.NVMLError:
        return UNKNOWN


def _application_clocks(nvml: Any, gpu: Any) -> str:
    """Those that the driver was asked to keep, of the multiprocessors and the memory."""
    cores = nvml.nvmlDeviceGetApplicationsClock(gpu, nvml.NVML_CLOCK_SM)
    memory = nvml.nvmlDeviceGetApplicationsClock(gpu, nvml.NVML_CLOCK_MEM)
    return f"{cores} MHz, memory {memory} MHz"


def _nvml() -> Any:
    try:
        return import_module("pynvml")
    except ImportError:
        raise ImportError("nvidia-ml-py is not installed (hwnas[cuda])") from None


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else name
