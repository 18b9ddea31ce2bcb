"""The GPU devices on a real GPU; skipped where there is none."""

import numpy as np
import pytest

from hwnas.latency import device, measure
from hwnas.latency.devices.registry import device_class
from hwnas.network.to_onnx import to_onnx

from ..helpers import FAST, small_network

CASES = [
    ("torch-cuda", {}),
    ("torch-cuda", {"precision": "bf16", "batch": 4, "layout": "channels_last"}),
    ("torch-cuda", {"precision": "fp16", "graphs": True}),
    ("torch-cuda", {"compile": True, "graphs": True}),
    ("ort-cuda", {"batch": 4}),
    ("ort-tensorrt", {"precision": "fp16"}),
]


@pytest.mark.parametrize(("name", "options"), CASES)
def test_networks_are_measured(name, options):
    if reason := device_class(name).unavailable():
        pytest.skip(f"{name}: {reason}")
    net = small_network()
    on = device(name, protocol=FAST, **options)
    table = measure([net], on, blocks=False)
    assert not table[net.key].failed, table[net.key].reason
    assert table.meta.identity.device.kind == "gpu"


def test_energy_of_a_gpu():
    if reason := device_class("torch-cuda").unavailable():
        pytest.skip(f"torch-cuda: {reason}")
    with device("torch-cuda", protocol=FAST).start() as runner:
        if not runner.meter().readable:
            pytest.skip(runner.meter().description)
        runner.load("m", to_onnx(small_network()).SerializeToString(), warm_up=3)
        millijoules, microseconds = runner.energy_mj("m", 0.5), np.median(runner.run("m", 2, 20).wall_us)
    assert 5 < 1000 * millijoules / microseconds < 5000  # watts
