"""Settings of a GPU that change latencies, from an NVML that is made up."""

import sys
from types import SimpleNamespace

import pytest

from hwnas.latency.timing.nvml import gpu_settings


class FakeNvmlError(Exception):
    pass


def nvml(*refused):
    def refuse(*_):
        raise FakeNvmlError("Not Supported")

    functions = {
        "nvmlInit": lambda: None,
        "nvmlDeviceGetHandleByUUID": lambda uuid: uuid,
        "nvmlDeviceGetEnforcedPowerLimit": lambda gpu: 349_500,
        "nvmlDeviceGetApplicationsClock": lambda gpu, kind: {1: 1980, 2: 2619}[kind],
        "nvmlDeviceGetMigMode": lambda gpu: [0, 1],
        **dict.fromkeys(refused, refuse),
    }
    return SimpleNamespace(NVMLError=FakeNvmlError, NVML_CLOCK_SM=1, NVML_CLOCK_MEM=2, **functions)


def test_limit_clocks_and_present_mode(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", nvml())
    assert gpu_settings("GPU-1") == {
        "power_limit": "349.5 W",
        "application_clocks": "1980 MHz, memory 2619 MHz",
        "mig": "disabled",
    }


@pytest.mark.parametrize(
    ("module", "unknown"),
    [
        (None, {"power_limit", "application_clocks", "mig"}),
        (nvml("nvmlInit"), {"power_limit", "application_clocks", "mig"}),
        (nvml("nvmlDeviceGetMigMode"), {"mig"}),
        (nvml("nvmlDeviceGetApplicationsClock"), {"application_clocks"}),
    ],
)
def test_what_cannot_be_read_is_unknown(monkeypatch, module, unknown):
    monkeypatch.setitem(sys.modules, "pynvml", module)
    assert {name for name, value in gpu_settings("GPU-1").items() if value == "unknown"} == unknown
