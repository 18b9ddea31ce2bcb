"""Searches on several processes, one of which is killed at work: nothing lost, nothing recorded twice."""

import os
import signal
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import pytest

from hwnas.executors import dask_cluster
from hwnas.search.evaluate import Evaluator
from hwnas.search.loop import run_loop
from hwnas.search.store import TrialStore
from tests.search.misbehaving import Hanging
from tests.search.test_loop import OBJECTIVE, SPACE, essence, evolution
from tests.search.toy import Cost, Slow, Value

BUDGET = 60
AHEAD = 4
TOLD = 10
"""Trials after which a process is killed."""


@dataclass(frozen=True)
class Watched(Slow):
    """A file with the number of the process is there as long as it evaluates."""

    seconds: float = 0.05
    at_work: str = ""

    def __call__(self, architecture):
        mark = Path(self.at_work) / str(os.getpid())
        mark.touch()
        value = super().__call__(architecture)
        mark.unlink()
        return value


@pytest.fixture(scope="module")
def address():
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None
    ) as cluster:
        yield cluster.scheduler_address


def searched(path, metric, executor=None, progress=None, seconds=None):
    store = TrialStore(path)
    evaluator = Evaluator(SPACE, OBJECTIVE, {"value": metric, "cost": Cost()})
    try:
        return run_loop(
            evolution(),
            evaluator,
            store,
            budget=BUDGET,
            ahead=AHEAD,
            executor=executor,
            trial_seconds=seconds,
            progress=progress,
        )
    finally:
        store.close()


def recorded(path):
    store = TrialStore(path)
    try:
        return store.trials()
    finally:
        store.close()


@pytest.fixture
def watched(tmp_path):
    (tmp_path / "at_work").mkdir()
    return Watched(at_work=str(tmp_path / "at_work"))


@contextmanager
def one_killed(watched):
    """What to call with each trial: after some, one of two processes that are at work at once is killed."""
    begun, killed = threading.Event(), []

    def kill():
        begun.wait()
        until = time.monotonic() + 60
        while not killed and time.monotonic() < until:
            at_work = list(Path(watched.at_work).iterdir())
            if len(at_work) == 2:
                killed.append(int(at_work[0].name))
                os.kill(killed[0], signal.SIGKILL)
            time.sleep(0.002)

    def progress(trial):
        if trial.number == TOLD:
            begun.set()

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield progress
    finally:
        begun.set()
        killer.join()
    assert killed


def test_a_cluster_goes_on_when_a_worker_is_killed(address, tmp_path, watched):
    alone = searched(tmp_path / "alone", Value())
    with dask_cluster(address) as executor, one_killed(watched) as progress:
        together = searched(tmp_path / "cluster", watched, executor, progress)
    assert essence(together) == essence(alone)
    assert essence(recorded(tmp_path / "cluster")) == essence(alone)


def test_a_trial_that_hangs_is_ended_on_a_cluster(address, tmp_path):
    with dask_cluster(address) as executor:
        trials = searched(tmp_path / "trials", Hanging(at=1), executor, seconds=1.0)
    hung = [t for t in trials if t.status == "failed"]
    assert hung
    assert all("took longer than 1 s" in t.reason for t in hung)
    assert any(t.status == "complete" for t in trials)


def test_a_pool_whose_worker_is_killed_stops_and_is_resumed(tmp_path, watched):
    alone = searched(tmp_path / "alone", Value())
    with (
        ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool,
        one_killed(watched) as progress,
        pytest.raises(OSError, match="a worker process was killed"),
    ):
        searched(tmp_path / "pool", watched, pool, progress)
    before = recorded(tmp_path / "pool")
    assert TOLD < len(before) < len(alone)
    assert essence(before) == essence(alone[: len(before)])
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        resumed = searched(tmp_path / "pool", Value(), pool)
    assert essence(resumed) == essence(recorded(tmp_path / "pool")) == essence(alone)
