"""`hwnas bundle` and `hwnas measure --device ssh://`, as a person runs them."""

import json
import subprocess
import sys

import pytest

from hwnas.latency import LatencyTable
from hwnas.latency.measuring.sentinels import sentinels
from hwnas.spaces import space

from ..latency.remote.pythons import MEASURING, python_with
from ..latency.remote.sshd import Sshd
from .program import as_json, hwnas
from .test_cli import SPACE


@pytest.fixture
def net(tmp_path):
    path = tmp_path / "=net.onnx"
    path.write_bytes(sentinels()["sentinel-dense"])
    return path


def run(bundle):
    subprocess.run([sys.executable, bundle / "runner.pyz"], check=True, capture_output=True)


def test_bundle_and_table(tmp_path, net):
    bundle, out = tmp_path / "bundle", tmp_path / "table"
    options = ("--space", SPACE, "--samples", 1, "--blocks", "none", "--quick", "--out", bundle)
    assert as_json("bundle", net, *options) == {"bundle": str(bundle), "models": 2}
    assert [line[:2] for line in (bundle / "README.txt").read_text().splitlines()] == ["1.", "2.", "3."]
    assert "results.jsonl" in hwnas("bundle", "--read", bundle, "--out", out, code=2)
    run(bundle)
    said = as_json("bundle", "--read", bundle, "--out", out)
    assert said["networks"] == 2 and said["failed"] == {} and said["missing"] == 0
    table = LatencyTable.load(out)
    assert {entry.name for entry in table} > {"=net.onnx"}
    assert table.meta.space == str(space(SPACE))
    assert "'=net.onnx" in (out / "networks.csv").read_text()
    hwnas("bundle", "--read", bundle, "--out", out)


def test_an_unfinished_bundle_is_a_table_that_grows_but_replaces_no_other(tmp_path, net):
    bundle, out = tmp_path / "bundle", tmp_path / "table"
    hwnas("bundle", "--space", SPACE, "--samples", 1, "--quick", "--out", bundle)
    run(bundle)
    results = bundle / "results.jsonl"
    head, *records = [json.loads(line) for line in results.read_text().splitlines()]
    whole = results.read_text()
    records[0]["entries"] = records[0]["entries"][:1]
    results.write_text("".join(json.dumps(line) + "\n" for line in (head, records[0])))
    assert as_json("bundle", "--read", bundle, "--out", out)["missing"] > 0
    results.write_text(whole)
    assert as_json("bundle", "--read", bundle, "--out", out)["missing"] == 0
    results.write_text("".join(json.dumps(line) + "\n" for line in (head, records[0])))
    assert "give another --out" in hwnas("bundle", "--read", bundle, "--out", out, code=2)
    head["identity"]["device"]["model"] = "other"
    results.write_text("".join(json.dumps(line) + "\n" for line in (head, records[0])))
    assert "device.model" in hwnas("bundle", "--read", bundle, "--out", out, code=2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "--out is missing"),
        (("--out", "b"), "nothing to measure"),
        (("--read", "nowhere", "--out", "b"), "nowhere"),
        (("--read", "b", "--space", SPACE, "--out", "c"), "--space has no effect with --read"),
        (("--space", SPACE, "--threads", "0", "--out", "b"), "threads must be"),
        (("--space", SPACE, "--blocks", "some", "--out", "b"), "--blocks must be"),
        (("nowhere.onnx", "--out", "b"), "nowhere.onnx"),
        (("--space", SPACE, "--out", "."), "is not empty"),
    ],
)
def test_mistakes_are_one_line(tmp_path, arguments, message):
    (tmp_path / "something").touch()
    error = hwnas("bundle", *arguments, cwd=tmp_path, code=2)
    assert message in error and len(error.splitlines()) == 1


@pytest.fixture
def sshd(tmp_path):
    server = Sshd(tmp_path / "sshd", python_with(tmp_path / "python", *MEASURING))
    server.start()
    yield server
    server.stop()


def test_measure_over_ssh(tmp_path, sshd):
    options = ("--space", SPACE, "--samples", 1, "--blocks", "none", "--quick", "--device", sshd.url())
    said = as_json("measure", *options, "--out", tmp_path / "table")
    assert said["networks"] == 1 and LatencyTable.load(tmp_path / "table").networks
    sshd.stop()
    error = hwnas("measure", *options, "--out", tmp_path / "other", code=2)
    assert "Connection refused" in error and len(error.splitlines()) == 1
    assert "is no address" in hwnas("measure", "--space", SPACE, "--device", "ssh://-x", code=2)
