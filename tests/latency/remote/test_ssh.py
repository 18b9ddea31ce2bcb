"""A real sshd on the loopback, and at its far end a Python with numpy and onnxruntime only."""

import json
import os
import signal
import threading
from dataclasses import replace

import pytest

from hwnas.latency import LatencyTable, ModelFailedError, RunnerDiedError, device, measure, measure_onnx
from hwnas.latency.devices.ort_cpu import OrtCpu
from hwnas.latency.measuring import groups
from hwnas.latency.measuring.sentinels import sentinels
from hwnas.latency.remote.ssh_errors import ConnectionLostError, RemoteError, failure
from hwnas.latency.remote.zipapp import runner_digest, runner_pyz

from ..helpers import FAST, small_network


def on(sshd, *options, threads=1, **changes):
    far = device(sshd.url(*options, **changes), threads=threads, protocol=FAST)
    far.pauses = (0.05, 0.1, 0.2)
    return far


def test_a_table_of_the_far_end(sshd, tmp_path):
    far = on(sshd)
    table = measure([small_network()], far, folder=tmp_path / "table", names=["mine"])
    assert LatencyTable.load(tmp_path / "table") == table
    assert len(table) == 4 and not any(entry.failed for entry in table)
    table.require_same_device(OrtCpu(protocol=FAST))  # the far end is this machine, and says what it is
    assert table.meta.environment.load_min is not None
    (copied,) = sshd.cache.iterdir()
    assert copied.name == f"runner-{runner_digest()}.pyz" and copied.read_bytes() == runner_pyz()
    inode = copied.stat().st_ino
    assert on(sshd).reading().ticks > 0
    assert copied.stat().st_ino == inode


def test_the_worker_is_light_pinned_to_a_core_of_its_choice_and_survives_a_bad_model(sshd):
    with on(sshd).start() as runner:
        assert runner.hello["heavy"] == []
        assert len(os.sched_getaffinity(runner.hello["pid"])) == 1
        pid = runner.hello["pid"]
        with pytest.raises(ModelFailedError, match="bad-one"):
            runner.load("bad-one", b"no onnx", 1)
        assert runner.load("m", sentinels()["sentinel-dense"], 1) >= 1
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_single_file_is_timed_there(sshd, tmp_path):
    (tmp_path / "m.onnx").write_bytes(sentinels()["sentinel-dense"])
    assert measure_onnx(tmp_path / "m.onnx", on(sshd)).p10_us > 0


def test_a_connection_that_is_cut_is_made_again(sshd):
    lines = []

    def show(progress):
        lines.append(progress.message)
        if progress.message == "pass 2 of 2: round 1 of 1" and lines.count(progress.message) == 1:
            sshd.cut()

    table = measure([small_network()], on(sshd), progress=show)
    assert not any(entry.failed for entry in table) and table.networks[0].n == 6
    (lost,) = [line for line in lines if "trying the group again" in line]
    assert f"127.0.0.1:{sshd.port}" in lost
    assert lines.count("pass 1 of 2: round 1 of 1") == 1


def test_a_server_that_is_gone_is_an_error_and_the_same_call_goes_on_later(sshd, tmp_path, monkeypatch):
    monkeypatch.setattr(groups, "GROUP_SIZE", 2)

    def stop_in_the_second_group(progress):
        if progress.done == 2 and "round 1" in progress.message:
            sshd.stop()

    with pytest.raises(RemoteError, match=r"127\.0\.0\.1.*4 attempts.*the same command goes on"):
        measure([small_network()], on(sshd), folder=tmp_path, progress=stop_in_the_second_group)
    kept = (tmp_path / "journal.jsonl").read_text().splitlines()
    assert len(kept) == 2
    sshd.start()
    measuring = []

    def collect(progress):
        measuring.append(progress)

    table = measure([small_network()], on(sshd), folder=tmp_path, progress=collect)
    lines = (tmp_path / "journal.jsonl").read_text().splitlines()
    assert lines[:2] == kept and len(lines) == 3 and len(table) == 4
    keys = [{e["key"] for e in json.loads(line)["entries"]} for line in lines[1:]]
    assert not keys[0] & keys[1]
    assert min(progress.done for progress in measuring) == 2


def test_one_measurement_at_a_time_whoever_asks_and_by_whatever_name(sshd):
    said = []
    first, second = on(sshd).start(), on(sshd, threads=2).start()
    first.hold_machine(said.append)
    assert said == []
    threading.Timer(0.3, first.close).start()
    second.hold_machine(said.append)
    assert len(said) == 1 and f"another measurement holds {second._address};" in said[0]
    second.close()


def test_the_machine_before_a_measurement_is_that_of_the_first_contact(sshd):
    far = on(sshd)
    far.describe()
    sshd.stop()
    assert far.reading().ticks > 0


def test_a_worker_that_is_killed_is_not_a_lost_connection(sshd):
    with on(sshd).start() as runner:
        runner.load("m", sentinels()["sentinel-dense"], 1)
        os.kill(runner.hello["pid"], signal.SIGKILL)
        with pytest.raises(RunnerDiedError, match=r"with m .*memory") as caught:
            runner.run("m", 0, 1)
    assert caught.value.key == "m" and not isinstance(caught.value, (ConnectionLostError, RemoteError))


def refused(far):
    """The one line that says why a device cannot be used, on first contact."""
    with pytest.raises(RunnerDiedError) as caught:
        far.identity()
    line = str(caught.value)
    assert "127.0.0.1" in line and "\n" not in line and "Traceback" not in line
    return line


def test_a_python_without_packages(sshd, empty_python):
    line = refused(on(sshd, python=empty_python))
    assert "needs numpy" in line and "pip install numpy onnxruntime" in line


def test_no_python(sshd):
    line = refused(on(sshd, python="/nowhere/python3"))
    assert "cannot start /nowhere/python3" in line and "?python=" in line


def test_more_threads_than_there_are_cores(sshd):
    assert "threads must be 1 to" in refused(on(sshd, threads=1024))


def test_a_key_that_is_refused(sshd):
    line = refused(on(sshd, identity=sshd.folder / "stranger"))
    assert "Permission denied" in line and "must log in with a key" in line


def test_a_host_key_that_is_not_known(sshd):
    line = refused(on(sshd, f"UserKnownHostsFile={sshd.folder}/none", "StrictHostKeyChecking=yes"))
    assert "Host key verification failed" in line and "check its key" in line


def test_a_port_where_nobody_listens(sshd):
    sshd.stop()
    assert "Connection refused" in refused(on(sshd))


def test_a_shell_that_prints(sshd):
    sshd.stop()
    sshd.start('ForceCommand echo "Welcome to this machine"; eval "$SSH_ORIGINAL_COMMAND"\n')
    assert "does its shell print at login?" in refused(on(sshd))


def test_a_cache_that_cannot_be_written(sshd):
    (sshd.folder / "cache").write_text("a file where the folder should be")
    assert "cannot copy the runner" in refused(on(sshd))


def test_a_full_disk_leaves_no_half_of_a_runner(sshd, tiny_disk):
    left = os.statvfs(tiny_disk)
    (tiny_disk / "filler").write_bytes(bytes(left.f_bavail * left.f_bsize - (16 << 10)))
    (sshd.folder / "cache").symlink_to(tiny_disk)
    line = refused(on(sshd))
    assert "cannot copy the runner into ~/.cache/hwnas" in line and "No space left" in line
    assert list(sshd.cache.iterdir()) == []
    (tiny_disk / "filler").unlink()
    assert on(sshd).identity().device.kind == "cpu"


def test_a_runner_that_arrives_in_part_is_not_kept(sshd):
    sshd.stop()
    torn = 'head -c 1000 | sh -c "$SSH_ORIGINAL_COMMAND"'
    whole = 'exec sh -c "$SSH_ORIGINAL_COMMAND"'
    sshd.start(f'ForceCommand case "$SSH_ORIGINAL_COMMAND" in *"cat >"*) {torn};; *) {whole};; esac\n')
    assert "cannot copy the runner" in refused(on(sshd))
    assert list(sshd.cache.iterdir()) == []


def test_another_machine_under_the_same_name(sshd, monkeypatch):
    far = on(sshd)
    first = far._first
    vars(far)["_first"] = replace(first, runtime=far.options.card("0.1"))
    with pytest.raises(RemoteError, match="another processor or runtime"):
        far.start()
    assert first.runtime.version != "0.1"


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("ssh: Could not resolve hostname nowhere: Name or service not known", ConnectionLostError),
        ("Timeout, server nowhere not responding.", ConnectionLostError),
        ("", ConnectionLostError),
        ("@@@\nWARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!\nHost key ...", RemoteError),
        ("command-line: line 0: Bad configuration option: x", RemoteError),
    ],
)
def test_what_ssh_itself_says(sshd, said, kind):
    error = failure(on(sshd).address, 255, said, "a-key")
    assert type(error) is kind and error.key is None and "127.0.0.1" in str(error)
