"""What a limited trial starts ends with it, and what it loads is not charged to it."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import pytest

from hwnas.objectives import Objective
from hwnas.search.evaluate import Evaluator, Task, packed
from hwnas.search.limited import LimitedTask, end_process
from tests.search.toy import Toy, Value

SPACE = Toy()


@dataclass(frozen=True)
class Starting(Value):
    """Waits for a process that it starts, and notes the number of, or is killed beside it."""

    note: str = ""
    killed: bool = False

    def __call__(self, architecture):
        started = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        Path(self.note).write_text(str(started.pid))
        if self.killed:
            os.kill(os.getpid(), signal.SIGKILL)
        return float(started.wait())


@dataclass(frozen=True)
class Loading(Value):
    """Loads for a second."""

    def load(self, space):
        assert space == SPACE
        time.sleep(1)
        os.environ["LOADED"] = "1"

    def __call__(self, architecture):
        if "LOADED" not in os.environ:
            raise RuntimeError("it was not loaded")
        return super().__call__(architecture)


def evaluated(metric, seconds):
    evaluator = Evaluator(SPACE, Objective("value"), {"value": metric})
    try:
        return LimitedTask(Task(packed(evaluator), (1,) * 6, "value"), seconds)()
    finally:
        end_process()


def is_gone(note, within=10.0):
    """Whether the noted process ends, a process that nobody waits for included."""
    stat = Path("/proc", note.read_text(), "stat")
    until = time.monotonic() + within
    while time.monotonic() < until:
        if not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("killed", [False, True])
def test_what_a_metric_started_ends_with_the_trial(tmp_path, killed):
    found = evaluated(Starting(note=str(tmp_path / "pid"), killed=killed), 2.0)
    assert found.status == "failed"
    assert is_gone(tmp_path / "pid")


def test_what_a_metric_started_ends_with_the_search(tmp_path):
    note = tmp_path / "pid"
    search = get_context("spawn").Process(target=evaluated, args=(Starting(note=str(note)), 600.0))
    search.start()
    until = time.monotonic() + 60
    while not (note.exists() and note.read_text()) and time.monotonic() < until:
        time.sleep(0.02)
    search.kill()
    search.join()
    assert is_gone(note)


def test_loading_is_no_time_of_a_trial():
    found = evaluated(Loading(), 0.8)
    assert (found.status, found.metrics["value"]) == ("complete", 6.01)
