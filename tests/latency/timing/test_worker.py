import io
import json
import os
import signal
import struct
import sys

import numpy as np
import pytest

from hwnas.latency.devices.device import ModelFailedError, RunnerDiedError
from hwnas.latency.devices.worker_runner import WorkerRunner
from hwnas.latency.measuring.sentinels import sentinels
from hwnas.latency.timing.lock import PROCESSOR, lock_if_free, machine_lock
from hwnas.latency.timing.messages import receive, send
from hwnas.latency.timing.onnxruntime_backend import aligned

MODEL = sentinels()["sentinel-dense"]


def test_a_chunk_has_the_asked_samples(cpu):
    with cpu.start() as runner:
        assert runner.load("m", MODEL, warm_up=2) >= 1
        chunk = runner.run("m", discard=1, count=5)
    assert chunk.wall_us.shape == chunk.cpu_us.shape == (5,)
    assert np.all(chunk.wall_us > 0) and np.all(chunk.wall_us < 1e6)


def test_the_worker_is_light_and_pinned(cpu):
    with cpu.start() as runner:
        hello, _ = runner._ask(None, {"command": "hello"})
        assert hello["heavy"] == []
        assert os.sched_getaffinity(runner.pid) == set(cpu.cores)


def test_closing_ends_the_worker(cpu):
    with cpu.start() as runner:
        pid = runner.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_bad_model_is_an_error_that_names_it_and_the_worker_lives_on(cpu):
    with cpu.start() as runner:
        with pytest.raises(ModelFailedError, match="bad-one"):
            runner.load("bad-one", b"no onnx at all", warm_up=1)
        runner.load("m", MODEL, warm_up=1)


def test_a_killed_worker_is_reported_with_the_model_and_signal(cpu):
    with cpu.start() as runner:
        runner.load("m", MODEL, warm_up=1)
        os.kill(runner.pid, signal.SIGKILL)
        with pytest.raises(RunnerDiedError, match=r"with m \(SIGKILL\)") as caught:
            runner.run("m", 0, 1)
    assert caught.value.key == "m"


def test_a_worker_that_does_not_start_says_why(cpu, monkeypatch):
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(RunnerDiedError, match="while starting"):
        cpu.start()


def test_inputs_start_on_a_page():
    for shape in ([3], [1, 3, 5, 7], []):
        array = aligned(shape)
        assert array.ctypes.data % 4096 == 0 and array.shape == tuple(shape)


def test_messages_come_back_as_sent():
    stream = io.BytesIO()
    send(stream, {"a": [1, "ü"]}, b"\x00\xff")
    send(stream, {"b": 2})
    stream.seek(0)
    assert receive(stream) == ({"a": [1, "ü"]}, b"\x00\xff")
    assert receive(stream) == ({"b": 2}, b"")
    with pytest.raises(EOFError):
        receive(stream)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"\xff" * 12, ValueError),
        (b"\x00\x00\x00\x09" + b"\x00" * 8 + b"{", EOFError),
        (struct.pack(">IQ", 1 << 19, 0) + b"[" * (1 << 19), ValueError),
    ],
)
def test_torn_or_absurd_messages_are_refused(data, error):
    with pytest.raises(error):
        receive(io.BytesIO(data))


def holds_machine(runner):
    return runner._ask(None, {"command": "lock"})[0]["held"]


def test_a_worker_holds_the_machine_where_it_runs_until_it_ends(cpu):
    with cpu.start() as first, cpu.start() as second:
        with machine_lock(PROCESSOR, lambda: None):
            assert not holds_machine(first)
        assert holds_machine(first) and holds_machine(first)
        assert not holds_machine(second)
        first.close()
        assert holds_machine(second)


IMPATIENT = "from hwnas.latency.timing import worker; worker.PATIENCE_SECONDS = 1; worker.main()"


def test_a_worker_that_holds_the_machine_and_hears_nothing_lets_go(cpu):
    config = {"backend": "onnxruntime", "threads": 1, "cores": None, "options": cpu.runtime().options}
    with WorkerRunner([sys.executable, "-c", IMPATIENT, json.dumps(config)], None) as runner:
        assert holds_machine(runner)
        assert runner._process.wait(timeout=20) == -signal.SIGALRM
    assert lock_if_free(PROCESSOR) is not None
