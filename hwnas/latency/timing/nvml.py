"""The energy counter of an NVIDIA GPU (Volta and later), read through NVML."""

from __future__ import annotations

from importlib import import_module


class NvmlMeter:
    """The counter of one GPU, in millijoules since the driver was loaded: the whole board's energy.

    Args:
        uuid: of the GPU, such as ``GPU-5f2c...``.

    Raises:
        ImportError: nvidia-ml-py is not installed.
        ValueError: the driver knows no such GPU, or it has no counter.
    """

    def __init__(self, uuid: str) -> None:
        try:
            self._nvml = import_module("pynvml")
        except ImportError:
            raise ImportError("nvidia-ml-py is not installed (hwnas[cuda])") from None
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


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else name
