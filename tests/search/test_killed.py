"""Every strategy, killed (signal 9) at a random moment and resumed, ends as if it had not been."""

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from hwnas.search import STRATEGIES
from hwnas.search.store import TrialStore
from tests.search.all_strategies import BUDGET, searched

ROOT = Path(__file__).parents[2]


def recorded(folder):
    if not (folder / "trials.sqlite").exists():
        return 0
    with closing(TrialStore(folder / "trials.sqlite")) as store:
        return store.count()


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """Folders of searches, one for each strategy, that were killed while they ran."""
    base = tmp_path_factory.mktemp("killed")
    command = [sys.executable, "-m", "tests.search.all_strategies", str(base)]
    process = subprocess.Popen(command, cwd=ROOT)
    until = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < until:
        if all(recorded(base / name) >= 3 for name in STRATEGIES):
            break
        time.sleep(0.05)
    time.sleep(random.Random(os.getpid()).uniform(0, 1.5))
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    return base


@pytest.mark.parametrize("strategy", list(STRATEGIES))
def test_a_killed_search_is_resumed_as_if_it_had_not_been(strategy, killed, tmp_path):
    before = recorded(killed / strategy)
    assert 3 <= before <= BUDGET  # the quickest may have ended before the signal came
    whole = searched(strategy, tmp_path / "whole")
    assert before <= len(whole)
    assert searched(strategy, killed / strategy) == whole
    assert len(whole) == recorded(killed / strategy)
