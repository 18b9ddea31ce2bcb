"""`hwnas export` of int8 files, as a person runs it."""

import sys

import numpy as np
import onnxruntime
import pytest

from hwnas.cli.export_int8 import Deployment, export_int8
from hwnas.cost import Limits
from hwnas.network import Builder
from hwnas.network.to_onnx import to_onnx

from .program import as_json, hwnas

SPACE = "mobilenetv2:resolution=16,classes=10,width=0.25,depths=(-1,),widths=(0.75,),kernels=(3,)"


def classifier(classes=10, shape=(3, 12, 12)):
    b = Builder()
    return b.build(b.linear(b.global_average_pool(b.relu(b.conv(b.input(*shape), 4))), classes))


def maps():
    b = Builder()
    return b.build(b.conv(b.input(3, 12, 12), 10))


NETWORKS = {
    "classes.onnx": (classifier(1000), "tells 1000 classes apart, but there are 10 in --data digits"),
    "maps.onnx": (maps(), "outputs of [10, 12, 12]; one image [c, h, w] and one vector [classes] are needed"),
}  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run that trained nothing."""
    folder = tmp_path_factory.mktemp("run") / "untrained"
    hwnas(
        "search", "--space", SPACE, "--maximize", "params", "--strategy", "random", "--budget", 2,
        "--candidates", 1, "--run", folder,
    )  # fmt: skip
    return folder


def outputs(file, images):
    session = onnxruntime.InferenceSession(file)
    return session.run(None, {session.get_inputs()[0].name: images})[0]


@pytest.mark.parametrize("batch", ["4", "free"])
def test_the_answer_of_a_run_with_another_batch(run, tmp_path, batch):
    images = np.random.default_rng(0).standard_normal((4, 3, 16, 16)).astype(np.float32)
    hwnas("export", "--run", run, "--out", tmp_path / "one.onnx")
    hwnas("export", "--run", run, "--out", tmp_path / "more.onnx", "--batch", batch)
    one_by_one = [outputs(tmp_path / "one.onnx", images[i : i + 1])[0] for i in range(4)]
    np.testing.assert_allclose(outputs(tmp_path / "more.onnx", images), one_by_one, rtol=1e-4, atol=1e-5)


def test_a_batch_of_none_is_refused_for_a_run_too(run, tmp_path):
    told = hwnas("export", "--run", run, "--out", tmp_path / "net.onnx", "--batch", 0, code=2)
    assert "--batch must be a whole number of at least 1" in told


def test_random_weights_are_told_before_the_work(run, tmp_path, capsys):
    asked = Deployment(
        run / "absent.onnx", "it", False, "digits", tmp_path / "int8.onnx", "tflm", Limits(), False, 0
    )
    with pytest.raises(OSError):
        export_int8(asked, json=False)
    assert "the weights are random: the run trained nothing" in capsys.readouterr().err


@pytest.mark.parametrize("file", NETWORKS)
def test_networks_that_do_not_fit_the_data(file, tmp_path):
    network, says = NETWORKS[file]
    to_onnx(network, tmp_path / file)
    told = hwnas("export", file, "--data", "digits", "--int8", "--out", "out.onnx", cwd=tmp_path, code=2)
    assert told.startswith(f"error: {file} ") and says in told and len(told.splitlines()) == 1
    assert not (tmp_path / "out.onnx").exists()


def test_an_untrained_run_is_told_and_so_are_the_tested_images(run, tmp_path):
    pytest.importorskip("tflite_micro", reason="the extra hwnas[mcu] is not installed")
    out = tmp_path / "net.tflite"
    told = hwnas("export", "--run", run, "--data", "digits", "--out", out)
    assert "accuracy on 500 of 1,436 test images" in told
    assert "SRAM" in told and out.stat().st_size
    found = as_json("export", "--run", run, "--data", "digits", "--int8", "--out", tmp_path / "int8.onnx")
    assert (found["is_trained"], found["tested_images"], found["test_images"]) == (False, 1436, 1436)
    assert "weights are random" in hwnas("export", "--run", run, "--out", tmp_path / "net.onnx")


def test_a_trained_file_is_not_called_random(tmp_path):
    to_onnx(classifier(), tmp_path / "net.onnx")
    told = hwnas("export", "net.onnx", "--data", "digits", "--int8", "--out", "int8.onnx", cwd=tmp_path)
    assert "random" not in told and "accuracy on 1,436 test images" in told


def test_the_missing_interpreter_is_found_before_the_work(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "tflite_micro", None)
    asked = Deployment(
        tmp_path / "absent.onnx", "absent.onnx", True, "digits", tmp_path / "net.tflite", "tflm", Limits(), False, 0
    )  # fmt: skip
    with pytest.raises(ValueError, match=r"pip install 'hwnas\[mcu\]'"):
        export_int8(asked, json=False)


def test_a_limit_that_a_runtime_cannot_keep_is_refused(run, tmp_path):
    told = hwnas(
        "export", "--run", run, "--data", "digits", "--out", tmp_path / "net.tflite", "--runtime", "liveness",
        "--flash", "1MB", code=2,
    )  # fmt: skip
    assert "--flash has no effect with --runtime liveness" in told
