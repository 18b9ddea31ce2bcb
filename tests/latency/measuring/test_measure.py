"""Real workers and real models; kill -9 and resume; nothing here asserts a time."""

import hashlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from hwnas.latency import LatencyTable, ModelFailedError, latency_ms, measure, measure_onnx
from hwnas.latency.devices.device import RunnerDiedError
from hwnas.latency.devices.ort_cpu import OrtCpu
from hwnas.latency.devices.worker_runner import WorkerRunner
from hwnas.latency.measuring import groups
from hwnas.latency.timing.lock import lock_path, machine_lock

from ..helpers import FAST, small_network


class Architecture:
    def __init__(self, channels):
        self.channels, self.network = channels, small_network(channels)

    def __str__(self):
        return f"arch-{self.channels}"


@pytest.fixture
def small_groups(monkeypatch):
    monkeypatch.setattr(groups, "GROUP_SIZE", 2)


def test_networks_and_distinct_blocks(cpu, tmp_path):
    first, second = Architecture(4), Architecture(8)
    table = measure([first, second, Architecture(4)], cpu, folder=tmp_path)
    assert [e.name for e in table.networks] == ["arch-4", "arch-8"]
    assert {e.key for e in table.blocks} == {b.key for a in (first, second) for _, b in a.network.blocks()}
    entry = table[first.network.key]
    assert dict(entry.blocks)[dict(first.network.blocks())["body0"].key] == 2
    assert entry.flops == 2 * 8 * 8 * 9 * (3 * 4 + 2 * 4 * 4) + 2 * 4 * 10
    assert entry.params == 9 * (3 * 4 + 2 * 4 * 4) + 4 * 10 + 10
    assert sum(count for _, count in entry.blocks) == len(list(first.network.blocks()))
    assert entry.n == FAST.passes * FAST.rounds * FAST.chunk and len(entry.onnx_sha256) == 64
    assert LatencyTable.load(tmp_path) == table
    assert table.meta.environment.wall_cpu_ratio > 0
    table.require_same_device(cpu)


def test_given_blocks_are_measured_under_their_names(cpu):
    net, other = small_network(4), small_network(8)
    given = [(f"mine-{path}", block) for path, block in other.blocks()]
    table = measure([net], cpu, blocks=given, space="my.module:Space")
    own = {block.key for _, block in net.blocks()}
    assert {e.key for e in table.blocks} == {block.key for _, block in given} | own
    assert all(e.name.startswith("mine-") for e in table.blocks if e.key not in own)
    assert table.meta.space == "my.module:Space"


def test_whole_networks_only_in_order(cpu):
    nets = [small_network(8), small_network(4), small_network(8)]
    entries = latency_ms(nets, cpu)
    assert [e.key for e in entries] == [n.key for n in nets] and all(e.latency_ms > 0 for e in entries)


def test_names_and_empty_input(cpu):
    assert measure([small_network()], cpu, blocks=False, names=["mine"]).networks[0].name == "mine"
    with pytest.raises(ValueError, match="2 names for 1 networks"):
        measure([small_network()], cpu, names=["a", "b"])
    with pytest.raises(ValueError, match="unprintable"):
        measure([small_network()], cpu, names=["a\nb"])
    with pytest.raises(ValueError, match="no networks"):
        measure([], cpu)


def test_the_same_call_again_measures_nothing(cpu, tmp_path, monkeypatch):
    first = measure([small_network()], cpu, folder=tmp_path)

    def never(*args):
        raise AssertionError("measured again")

    monkeypatch.setattr(OrtCpu, "start", never)
    assert measure([small_network()], cpu, folder=tmp_path) == first
    assert measure([small_network()], cpu, folder=tmp_path, blocks=False) == first


def test_more_networks_extend_the_folder(cpu, tmp_path):
    measure([small_network(4)], cpu, folder=tmp_path)
    lines = []
    table = measure([small_network(4), small_network(8)], cpu, folder=tmp_path, progress=lines.append)
    assert len(table.networks) == 2 and any(0 < p.done < p.total for p in lines)


def test_a_worker_killed_once_is_replaced(cpu, monkeypatch):
    original, kills = WorkerRunner.run, []

    def run(self, key, discard, count):
        if not kills:
            kills.append(self.pid)
            os.kill(self.pid, signal.SIGKILL)
        return original(self, key, discard, count)

    monkeypatch.setattr(WorkerRunner, "run", run)
    lines = []
    table = measure([small_network()], cpu, blocks=False, progress=lines.append)
    assert not table.networks[0].failed
    assert any("SIGKILL" in p.message and "trying the group again" in p.message for p in lines)


def test_a_model_that_always_kills_the_worker_is_a_failed_entry_and_is_tried_again_later(
    cpu, tmp_path, monkeypatch
):
    deadly, harmless = small_network(4), small_network(8)
    original = WorkerRunner.run

    def run(self, key, discard, count):
        if key == deadly.key:
            os.kill(self.pid, signal.SIGKILL)
        return original(self, key, discard, count)

    with monkeypatch.context() as patch:
        patch.setattr(WorkerRunner, "run", run)
        table = measure([deadly, harmless], cpu, blocks=False, folder=tmp_path)
    assert table[deadly.key].failed and "SIGKILL" in table[deadly.key].reason
    assert not table[harmless.key].failed
    again = measure([deadly, harmless], cpu, blocks=False, folder=tmp_path)
    assert not again[deadly.key].failed
    records = (tmp_path / "journal.jsonl").read_text().splitlines()[1:]
    assert [line.count(f'"key": "{harmless.key}"') for line in records] == [1, 0]


def test_ctrl_c_ends_the_worker_and_keeps_the_journal(cpu, tmp_path, monkeypatch, small_groups):
    pids = []
    original = WorkerRunner.load

    def load(self, key, model, warm_up):
        pids.append(self.pid)
        if len(set(pids)) > FAST.passes:
            raise KeyboardInterrupt
        return original(self, key, model, warm_up)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(WorkerRunner, "load", load)
        measure([small_network()], cpu, folder=tmp_path)
    for pid in set(pids):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert len((tmp_path / "journal.jsonl").read_text().splitlines()) == 2
    assert len(measure([small_network()], cpu, folder=tmp_path)) > 2


MEASURING = """
    import sys
    from hwnas.latency import device, measure
    from hwnas.latency.measuring import groups
    groups.GROUP_SIZE = 1
    sys.path.insert(0, {tests!r})
    from latency.helpers import FAST, small_network
    def show(progress):
        print(progress.done, flush=True)
    networks = [small_network(4), small_network(8)]
    measure(networks, device("ort-cpu", protocol=FAST), folder={folder!r}, progress=show)
"""


def test_kill_9_of_the_measuring_process_then_resume(cpu, tmp_path):
    tests = str(Path(__file__).parents[2])
    code = textwrap.dedent(MEASURING.format(tests=tests, folder=str(tmp_path)))
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    for line in process.stdout:
        if int(line) >= 2:
            break
    process.kill()
    process.wait()
    process.stdout.close()
    kept = (tmp_path / "journal.jsonl").read_bytes().splitlines()[1:]
    assert len(kept) >= 2
    progress = []
    table = measure([small_network(4), small_network(8)], cpu, folder=tmp_path, progress=progress.append)
    assert max(p.done for p in progress) == progress[-1].total
    measuring = [p for p in progress if "pass 1" in p.message]
    assert min(p.done for p in measuring) >= len(kept)
    assert len(table.networks) == 2
    assert (tmp_path / "journal.jsonl").read_bytes().splitlines()[1 : 1 + len(kept)] == kept


def test_a_second_measurement_waits_and_says_so(cpu, tmp_path):
    holder = subprocess.Popen(
        [sys.executable, "-c", f"import fcntl,time; f=open({str(lock_path('cpu'))!r},'a'); fcntl.flock(f,2);"
         "print('held',flush=True); time.sleep(1)"],
        stdout=subprocess.PIPE,
    )  # fmt: skip
    assert holder.stdout and holder.stdout.readline() == b"held\n"
    lines = []
    measure([small_network()], cpu, blocks=False, progress=lines.append)
    assert "waiting" in lines[0].message
    assert holder.wait() == 0
    holder.stdout.close()


def test_the_worker_of_a_killed_parent_keeps_the_lock(cpu):
    with machine_lock("cpu", lambda: None) as descriptor:
        runner = cpu.start((descriptor,))
    waited = []
    start = time.monotonic()
    holder = subprocess.Popen(["sh", "-c", f"sleep 0.3; kill -9 {runner.pid}"])
    with machine_lock("cpu", lambda: waited.append(True)):
        assert waited and time.monotonic() - start > 0.1
    holder.wait()
    runner.close()


def model_bytes(shape=(1, 3, 8, 8), kind=TensorProto.FLOAT, op="Relu", domain=""):
    node = helper.make_node(op, ["x"], ["y"], domain=domain)
    values = [helper.make_tensor_value_info(n, kind, shape) for n in "xy"]
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("private", 1)]
    graph = helper.make_graph([node], "g", values[:1], values[1:])
    return helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()


def test_any_onnx_file_with_a_free_batch(cpu, tmp_path):
    (tmp_path / "model.onnx").write_bytes(model_bytes(("N", 3, 8, 8)))
    entry = measure_onnx(tmp_path / "model.onnx", cpu)
    assert entry.name == "model.onnx" and entry.p10_us > 0
    fixed = onnx.load_from_string(model_bytes()).SerializeToString(deterministic=True)
    assert measure_onnx(model_bytes(), cpu).key == hashlib.sha256(fixed).hexdigest() == entry.key


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (b"rubbish", ValueError, "not an ONNX model"),
        (b"", ValueError, "not an ONNX model"),
        (model_bytes((1, "C", 8)), ValueError, r"'x' has free dimensions \[1\]"),
        (model_bytes(kind=TensorProto.INT64), ValueError, "'x' is not float32"),
        (model_bytes(op="Unheard", domain="private"), ModelFailedError, "the model.*Unheard"),
    ],
)
def test_onnx_files_that_cannot_be_measured(cpu, model, error, message):
    with pytest.raises(error, match=message):
        measure_onnx(model, cpu)


def test_a_missing_file(cpu):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.onnx"):
        measure_onnx("nowhere.onnx", cpu)


def test_a_worker_that_cannot_start_ends_the_measurement(cpu, monkeypatch):
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(RunnerDiedError, match="while starting"):
        measure([small_network()], cpu)


def test_groups_are_as_large_as_the_devices_memory_allows():
    kib = 1 << 20  # of KiB: a GiB
    assert groups.group_bytes(16 * kib) == 1 << 30
    assert groups.group_bytes(kib) == 64 << 20
    assert groups.group_bytes(None) == groups.group_bytes(1) == 64 << 20
    assert groups.group_bytes(1024 * kib) == 2 << 30
