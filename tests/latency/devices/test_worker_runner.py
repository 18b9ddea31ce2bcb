"""Processes that answer something else than a worker would: nothing of it is believed, nor shown as it is."""

import io
import sys

import numpy as np
import pytest

from hwnas.latency.devices.device import ModelFailedError, RunnerDiedError
from hwnas.latency.devices.worker_runner import WorkerRunner
from hwnas.latency.timing.messages import send

SAYS = "import sys; sys.stdout.buffer.write(bytes.fromhex(sys.argv[1])); sys.stdout.flush(); sys.stdin.buffer.read()"
DIES = "import sys; sys.stderr.write('x' * 5000 + '\\nno \\x1b[2J\\x07runtime\\n\\nhere'); sys.exit(3)"
TIMES = np.ones(4).tobytes()


def answering(header, body=b""):
    """A runner whose process says a version, and then one answer."""
    stream = io.BytesIO()
    send(stream, {"version": "1"})
    send(stream, header, body)
    return WorkerRunner([sys.executable, "-S", "-c", SAYS, stream.getvalue().hex()], "1")


@pytest.mark.parametrize(
    "answer", [{}, {"together": "many"}, {"together": None}, {"together": True}, {"together": 0}]
)
def test_a_load_without_a_count_is_no_answer(answer):
    with answering(answer) as runner, pytest.raises(RunnerDiedError, match="no answer: together is"):
        runner.load("m", b"", 1)


@pytest.mark.parametrize("nodes", [None, "ab", {"a": 1}, [1, 2], [["a"], ["b"]]])
def test_nodes_that_are_no_names_are_no_answer(nodes):
    refused = pytest.raises(RunnerDiedError, match="no answer: nodes are")
    with answering({"nodes": nodes}, TIMES) as runner, refused:
        runner.profile("m", b"", 0, 2)


def test_a_profile_without_nodes_is_no_answer():
    with answering({}, TIMES) as runner, pytest.raises(RunnerDiedError, match="nodes are None"):
        runner.profile("m", b"", 0, 2)


def test_times_of_another_number_are_no_answer():
    refused = pytest.raises(RunnerDiedError, match="24 bytes for 2 x 2 times")
    with answering({"nodes": ["a", "b"]}, TIMES[:-8]) as runner, refused:
        runner.profile("m", b"", 0, 2)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1.0])
def test_times_that_are_none_are_no_answer(bad):
    refused = pytest.raises(RunnerDiedError, match="a time is negative or no finite number")
    with answering({}, np.array([1.0, 2.0, bad, 3.0]).tobytes()) as runner, refused:
        runner.run("m", 0, 2)


def test_honest_times_are_microseconds():
    with answering({}, np.array([1000.0, 2000.0, 0.0, 500.0]).tobytes()) as runner:
        chunk = runner.run("m", 0, 2)
    assert chunk.wall_us.tolist() == [1.0, 2.0] and chunk.cpu_us.tolist() == [0.0, 0.5]


@pytest.mark.parametrize("error", ["\x1b[2Jgone\nand\x07 more", ["\x1b[2J"], {"\x1b": 1}])
def test_an_error_is_shown_without_control_characters(error):
    with answering({"error": error}) as runner, pytest.raises(ModelFailedError) as caught:
        runner.load("m", b"", 1)
    assert str(caught.value).startswith("the runtime failed on m: ") and str(caught.value).isprintable()


def test_joules_of_any_length_are_shown_short():
    with answering({"joules": "9" * 10_000}) as runner, pytest.raises(ModelFailedError) as caught:
        runner.energy_mj("m", 1.0)
    assert len(str(caught.value)) < 200


def test_another_version_is_shown_without_control_characters():
    stream = io.BytesIO()
    send(stream, {"version": "\x1b[2J2"})
    with pytest.raises(RunnerDiedError, match=r"runs version \[2J2 of its runtime, not 1"):
        WorkerRunner([sys.executable, "-S", "-c", SAYS, stream.getvalue().hex()], "1")


def test_the_end_of_what_a_dead_process_said_is_shown_without_control_characters():
    with pytest.raises(RunnerDiedError) as caught:
        WorkerRunner([sys.executable, "-S", "-c", DIES], None)
    message = str(caught.value)
    assert message.endswith("x\nno [2Jruntime\nhere") and "(exit status 3)" in message
    assert all(line.isprintable() for line in message.splitlines()) and len(message) < 2100
