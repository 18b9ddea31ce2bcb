"""There and back: a bundle, a Python with numpy and onnxruntime only, and the table that comes of it."""

import hashlib
import json
import os
import shutil
import subprocess

import pytest

from hwnas.latency import LatencyTable, ModelFailedError
from hwnas.latency.devices.ort_cpu import OrtCpu
from hwnas.latency.measuring.networks import subjects_of
from hwnas.latency.measuring.subject import Subject
from hwnas.latency.remote.bundle import write_bundle
from hwnas.latency.remote.manifest import read_manifest
from hwnas.latency.remote.options import CpuOptions
from hwnas.latency.remote.results import read_results

from ..helpers import FAST, small_network


def run(python, bundle, code=0):
    done = subprocess.run([python, bundle / "runner.pyz"], capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout if code == 0 else done.stderr


def test_there_and_back(bundle, bare_python, tmp_path):
    out = run(bare_python, bundle)
    assert "4 of 4 models are measured" in out and str(bundle / "results.jsonl") in out
    table = read_results(bundle)
    network = small_network()
    assert {e.key for e in table.blocks} == {block.key for _, block in network.blocks()}
    entry = table[network.key]
    assert entry.name == "mine" and entry.n == 6 and entry.flops > 0 and entry.p10_us > 0
    assert entry.onnx_sha256 == hashlib.sha256((bundle / f"models/{entry.key}.onnx").read_bytes()).hexdigest()
    assert dict(entry.blocks)[dict(network.blocks())["body0"].key] == 2
    assert table.meta.environment.onnx_version == read_manifest(bundle).onnx_version != "none"
    table.require_same_device(OrtCpu(protocol=FAST))
    table.save(tmp_path / "table")
    assert LatencyTable.load(tmp_path / "table") == table


def test_running_again_measures_what_is_missing(bundle, bare_python):
    run(bare_python, bundle)
    before = (bundle / "results.jsonl").read_bytes()
    run(bare_python, bundle)
    assert (bundle / "results.jsonl").read_bytes() == before
    with (bundle / "results.jsonl").open("ab") as file:
        file.write(b'{"torn')
    run(bare_python, bundle)
    assert (bundle / "results.jsonl").read_bytes() == before
    (bundle / "results.jsonl").write_bytes(before.splitlines(keepends=True)[0])
    run(bare_python, bundle)
    assert len((bundle / "results.jsonl").read_bytes().splitlines()) == 2


def test_a_model_that_the_runtime_refuses_is_a_failed_entry(tmp_path, bare_python):
    broken = Subject("ab" * 16, "network", "broken", lambda: b"no onnx at all")
    write_bundle(
        [broken, *subjects_of([small_network()], ["mine"], False)],
        tmp_path / "b",
        options=CpuOptions(),
        protocol=FAST,
    )
    out = run(bare_python, tmp_path / "b")
    assert "failed: broken: " in out and "1 of 2 models are measured" in out
    table = read_results(tmp_path / "b")
    assert table["ab" * 16].failed and "no onnx" not in table["ab" * 16].reason
    assert not table[small_network().key].failed


def test_an_altered_model_and_other_results_are_one_line(bundle, bare_python):
    key = small_network().key
    original = (bundle / f"models/{key}.onnx").read_bytes()
    (bundle / f"models/{key}.onnx").write_bytes(original[:-1])
    assert "copy the bundle again" in run(bare_python, bundle, code=2)
    (bundle / f"models/{key}.onnx").write_bytes(original)
    run(bare_python, bundle)
    path = bundle / "results.jsonl"
    path.write_text(path.read_text().replace('"cores": ', '"cores": 9'))
    assert "device.cores" in run(bare_python, bundle, code=2)


def test_threads_beyond_the_machine_are_one_line(tmp_path, bare_python):
    subjects = subjects_of([small_network()], None, False)
    write_bundle(subjects, tmp_path / "b", options=CpuOptions(threads=1024), protocol=FAST)
    assert "threads must be 1 to" in run(bare_python, tmp_path / "b", code=2)


def test_a_full_disk_is_one_line_and_the_measurement_goes_on_later(bundle, bare_python, tiny_disk):
    shutil.copytree(bundle, tiny_disk / "b")
    filler = tiny_disk / "filler"
    left = os.statvfs(tiny_disk)
    filler.write_bytes(bytes(left.f_bavail * left.f_bsize))
    error = run(bare_python, tiny_disk / "b", code=2)
    assert error.splitlines()[-1] == f"error: cannot write into {tiny_disk / 'b'}: No space left on device"
    filler.unlink()
    assert "4 of 4" in run(bare_python, tiny_disk / "b")


def test_int8_models_are_made_at_home(tmp_path, bare_python):
    subjects = subjects_of([small_network()], None, False)
    write_bundle(subjects, tmp_path / "b", options=CpuOptions(precision="int8"), protocol=FAST)
    assert b"QuantizeLinear" in (tmp_path / f"b/models/{small_network().key}.onnx").read_bytes()
    run(bare_python, tmp_path / "b")
    table = read_results(tmp_path / "b")
    assert table.meta.identity.runtime.precision == "int8" and not table.networks[0].failed


def test_what_cannot_be_a_bundle(bundle, tmp_path):
    with pytest.raises(ValueError, match="is not empty"):
        write_bundle(subjects_of([small_network()], None, False), bundle, options=CpuOptions(), protocol=FAST)
    with pytest.raises(ValueError, match="nothing to measure"):
        write_bundle([], tmp_path / "b", options=CpuOptions(), protocol=FAST)
    with pytest.raises(ModelFailedError, match=r"mine.*quantised"):
        broken = Subject("ab" * 16, "network", "mine", lambda: b"rubbish")
        write_bundle([broken], tmp_path / "c", options=CpuOptions(precision="int8"), protocol=FAST)


@pytest.mark.parametrize("wrong", [{"threads": 0}, {"level": "most"}, {"precision": "fp7"}, {"batch": 0}])
def test_options_are_checked(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        CpuOptions(**wrong)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "version is 2"),
        ({"models": [1]}, "an object was expected"),
        ({"sentinels": {"../../etc/passwd": "0" * 64}}, "sentinel's name"),
        ({"extra": 1}, "'extra' is not known"),
        ({"options": {"threads": 0, "level": "all", "precision": "float32", "batch": 1}}, "threads must be"),
    ],
)
def test_a_damaged_manifest_is_named(bundle, change, message):
    path = bundle / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(ValueError, match=message):
        read_manifest(bundle)


@pytest.mark.parametrize(
    ("field", "value"), [("key", "../../../etc/passwd"), ("name", "a\nb"), ("kind", "x")]
)
def test_a_damaged_model_in_the_manifest_is_named(bundle, field, value):
    path = bundle / "manifest.json"
    data = json.loads(path.read_text())
    data["models"][0][field] = value
    path.write_text(json.dumps(data))
    with pytest.raises(ValueError, match=rf"models.*\[0\].*{field}"):
        read_manifest(bundle)
    data["models"][0] = data["models"][1]
    path.write_text(json.dumps(data))
    with pytest.raises(ValueError, match="occurs twice"):
        read_manifest(bundle)
