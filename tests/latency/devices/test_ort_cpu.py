"""ort-cpu at all levels and in int8, with real workers."""

import os
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from hwnas.latency import ModelFailedError, device, measure
from hwnas.latency.devices.int8 import quantised
from hwnas.latency.timing.onnxruntime_backend import LEVELS, session_options
from hwnas.network import Builder
from hwnas.network.to_onnx import to_onnx
from hwnas.spaces import space

from ..helpers import FAST, small_network

CELL = "|avg_pool_3x3~0|+|nor_conv_3x3~0|skip_connect~1|+|none~0|nor_conv_1x1~1|skip_connect~2|"


def serialised(network, batch=1):
    return to_onnx(network, batch=batch).SerializeToString()


def operators(model):
    return Counter(node.op_type for node in onnx.load_from_string(model).graph.node)


def optimised(model, folder, options):
    made = session_options(onnxruntime, 1, options)
    made.optimized_model_filepath = str(folder / "optimised.onnx")
    onnxruntime.InferenceSession(model, made, providers=["CPUExecutionProvider"])
    return operators((folder / "optimised.onnx").read_bytes())


@pytest.fixture(scope="module")
def cell():
    """A network with every operator of NAS-Bench-201."""
    return serialised(space("nasbench201").parse(CELL).network)


@pytest.mark.parametrize("level", LEVELS)
def test_all_levels_run(level):
    on = device("ort-cpu", level=level, protocol=FAST)
    with on.start() as runner:
        runner.load("m", serialised(small_network()), warm_up=1)
        assert np.all(runner.run("m", 0, 2).wall_us > 0)


def test_levels_reach_the_runtime(tmp_path):
    model = serialised(small_network())
    found = {
        level: optimised(model, tmp_path, device("ort-cpu", level=level).runtime().options)
        for level in ("disable", "basic", "extended")
    }
    assert found["disable"] == operators(model)
    assert found["extended"]["FusedConv"] > 0 == found["basic"]["FusedConv"] == found["disable"]["FusedConv"]


def test_int8_is_int8(cell, tmp_path):
    on = device("ort-cpu", precision="int8")
    model = on.prepare(cell)
    kinds = operators(model)
    assert kinds["QuantizeLinear"] and kinds["DequantizeLinear"]
    weights = Counter(tensor.data_type for tensor in onnx.load_from_string(model).graph.initializer)
    assert weights[onnx.TensorProto.INT8] >= operators(cell)["Conv"]
    ran = optimised(model, tmp_path, {**on.runtime().options, "level": "extended"})
    assert ran["QLinearConv"] == operators(cell)["Conv"] and ran["Conv"] == ran["FusedConv"] == 0
    assert ran["QLinearAdd"] and ran["QLinearAveragePool"] and ran["Add"] == ran["AveragePool"] == 0
    assert all(i.type == "tensor(float)" for i in onnxruntime.InferenceSession(model).get_inputs())


def test_int8_computes_nearly_what_float32_does(cell):
    x = np.random.default_rng(0).standard_normal((1, 3, 32, 32), dtype=np.float32)
    exact, rounded = (
        onnxruntime.InferenceSession(m).run(None, {"input": x})[0].ravel() for m in (cell, quantised(cell))
    )
    assert np.corrcoef(exact, rounded)[0, 1] > 0.95


def test_quantising_is_deterministic_and_writes_nowhere_else(cell, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    assert quantised(cell) == quantised(cell)
    assert [*tmp_path.iterdir(), *Path(os.environ["TMPDIR"]).iterdir()] == []
    assert capfd.readouterr().err == ""


def test_what_cannot_be_quantised_is_an_error_with_a_reason():
    with pytest.raises(ModelFailedError, match="cannot be quantised"):
        quantised(b"no onnx")


def test_int8_and_batch_are_measured_and_tell_themselves_apart(tmp_path):
    net = small_network()
    plain = measure([net], device("ort-cpu", protocol=FAST), blocks=False)
    on = device("ort-cpu", precision="int8", batch=3, protocol=FAST)
    table = measure([net], on, blocks=False)
    differences = plain.meta.identity.differences(table.meta.identity)
    assert "runtime.precision: 'float32', not 'int8'" in differences
    assert "runtime.options.batch: '1', not '3'" in differences
    entry, before = table[net.key], plain[net.key]
    assert entry.onnx_sha256 != before.onnx_sha256
    assert (entry.flops, entry.params) == (before.flops, before.params)


def test_the_batch_is_in_the_model_that_runs(monkeypatch):
    from hwnas.latency.devices.worker_runner import WorkerRunner

    shapes = set()
    original = WorkerRunner.load

    def load(self, key, model, warm_up):
        if not key.startswith("sentinel"):
            dims = onnx.load_from_string(model).graph.input[0].type.tensor_type.shape.dim
            shapes.add(tuple(d.dim_value for d in dims))
        return original(self, key, model, warm_up)

    monkeypatch.setattr(WorkerRunner, "load", load)
    measure([small_network()], device("ort-cpu", batch=3, protocol=FAST), blocks=False)
    assert shapes == {(3, 3, 8, 8)}


def test_a_model_without_integer_kernels_stays_as_it_is():
    b = Builder()
    b.input(3, 4, 4)
    constant = serialised(b.build(b.zeros(2, 4, 4)))
    assert quantised(constant) == constant
