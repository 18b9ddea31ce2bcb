"""Runs that are repeated, go on after a stop, or have another budget than before."""

import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hwnas.search.spending import full_trainings
from tests.search.runs import essence, run
from tests.search.toy import Cost, Slow

ROOT = Path(__file__).resolve().parents[2]


def test_repeating_changes_nothing(tmp_path):
    first = run(tmp_path / "run")
    again = run(tmp_path / "run")
    assert essence(again) == essence(first)
    assert again.best().architecture == first.best().architecture


def test_a_larger_budget_goes_on(tmp_path):
    first = run(tmp_path / "run", budget=30)
    more = run(tmp_path / "run", budget=60)
    assert essence(more)[: len(first.record.trials)] == essence(first)
    assert essence(more) == essence(run(tmp_path / "other"))


def test_a_smaller_budget_shows_fewer_trials(tmp_path):
    def evaluated(**changes):
        return full_trainings(run(tmp_path / "run", **changes).record.trials, "value")

    assert evaluated() == 60
    assert evaluated(budget=20) == 20
    assert evaluated() == 60


@pytest.mark.parametrize("moment", [0.0, 0.15, 0.4, 0.8])
def test_killed_and_resumed_equals_uninterrupted(tmp_path, moment):
    script = (
        "from hwnas import search; from tests.search.toy import *\n"
        "search.run(Toy(), maximize='value', subject_to=['cost <= 10'], budget=60, folder=%r,\n"
        "    metrics={'value': Slow(), 'cost': Cost()}, strategy_settings={'population': 10, 'tournament': 4})"
    )
    folder = tmp_path / "killed"
    process = subprocess.Popen([sys.executable, "-c", script % str(folder)], cwd=ROOT)
    while not (folder / "trials.sqlite").exists():
        time.sleep(0.005)
    time.sleep(moment)
    process.send_signal(signal.SIGKILL)
    process.wait()
    metrics = {"value": Slow(), "cost": Cost()}
    resumed = run(folder, metrics=metrics)
    assert essence(resumed) == essence(run(tmp_path / "whole", metrics=metrics))


def _limit_file_size():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))


def test_a_full_disk_is_said_and_the_run_goes_on_later(tmp_path):
    """A limit on file sizes stands in for the end of the disk: writes fail part-way."""
    script = (
        "from hwnas import search; from tests.search.toy import *\n"
        "try:\n"
        "    search.run(Toy(), maximize='value', subject_to=['cost <= 10'], budget=2000, folder=%r,\n"
        "        metrics={'value': Value(), 'cost': Cost()}, strategy='random')\n"
        "except OSError as error:\n"
        "    print(error); raise SystemExit(2)"
    )
    folder = tmp_path / "run"
    done = subprocess.run(
        [sys.executable, "-c", script % str(folder)],
        cwd=ROOT,
        preexec_fn=_limit_file_size,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert str(folder) in done.stdout
    resumed = run(folder, strategy="random", strategy_settings={}, budget=2000)
    whole = run(tmp_path / "whole", strategy="random", strategy_settings={}, budget=2000)
    assert essence(resumed) == essence(whole)
