"""torch-cpu with real workers."""

import numpy as np
import pytest

from hwnas.latency import ModelFailedError, device, measure, measure_onnx
from hwnas.network.to_onnx import to_onnx

from ..helpers import FAST, small_network


@pytest.mark.parametrize("options", [{}, {"precision": "bf16", "layout": "channels_last", "batch": 2}])
def test_networks_are_measured(options):
    net = small_network()
    on = device("torch-cpu", protocol=FAST, **options)
    table = measure([net], on, blocks=False)
    entry = table[net.key]
    assert not entry.failed and entry.n == FAST.passes * FAST.rounds * FAST.chunk
    assert table.meta.identity.runtime.name == "torch" and on.differences(device("ort-cpu", protocol=FAST))


def test_a_file_with_an_operator_that_torch_lacks_here_fails_by_name():
    from ..measuring.test_measure import model_bytes

    with pytest.raises(ModelFailedError, match="Unheard"):
        measure_onnx(model_bytes(op="Unheard", domain="private"), device("torch-cpu", protocol=FAST))


def test_the_worker_has_torch_and_no_onnxruntime_session():
    on = device("torch-cpu", protocol=FAST)
    with on.start() as runner:
        assert "torch" in runner.hello["heavy"] and runner.hello["version"] == on.runtime().version
        runner.load("m", to_onnx(small_network()).SerializeToString(), warm_up=1)
        chunk = runner.run("m", 1, 4)
        assert np.all(chunk.wall_us > 0) and np.all(chunk.cpu_us > 0)
        with pytest.raises(ModelFailedError, match="gives no profile"):
            runner.profile("m", b"", 0, 1)


def test_compiling_needs_a_compiler(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ValueError, match=r"compile needs a C\+\+ compiler"):
        device("torch-cpu", compile=True)
