"""Searches on several processes, one of which is killed in the middle: nothing lost, nothing recorded twice."""

import os
import signal
import threading
import time
from concurrent.futures import ProcessPoolExecutor
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


@dataclass(frozen=True)
class Watched(Slow):
    """Leaves the number of the process that evaluates."""

    seconds: float = 0.05
    processes: str = ""

    def __call__(self, architecture):
        (Path(self.processes) / str(os.getpid())).touch()
        return super().__call__(architecture)


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


def kill_one(processes):
    os.kill(int(next(processes.iterdir()).name), signal.SIGKILL)


@pytest.fixture
def watched(tmp_path):
    (tmp_path / "processes").mkdir()
    return Watched(processes=str(tmp_path / "processes"))


def test_a_cluster_goes_on_when_a_worker_is_killed(address, tmp_path, watched):
    alone = searched(tmp_path / "alone", Value())

    def progress(trial):
        if trial.number == 20:
            kill_one(tmp_path / "processes")

    with dask_cluster(address) as executor:
        together = searched(tmp_path / "cluster", watched, executor, progress)
    assert essence(together) == essence(alone)
    assert essence(recorded(tmp_path / "cluster")) == essence(alone)
    assert len(list((tmp_path / "processes").iterdir())) >= 2


def test_a_trial_that_hangs_is_ended_on_a_cluster(address, tmp_path):
    with dask_cluster(address) as executor:
        trials = searched(tmp_path / "trials", Hanging(at=1), executor, seconds=1.0)
    hung = [t for t in trials if t.status == "failed"]
    assert hung
    assert all("took longer than 1 s" in t.reason for t in hung)
    assert any(t.status == "complete" for t in trials)


def test_a_pool_whose_worker_is_killed_stops_and_is_resumed(tmp_path, watched):
    alone = searched(tmp_path / "alone", Value())
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        killer = threading.Thread(target=_kill_soon, args=(tmp_path / "processes",))
        killer.start()
        with pytest.raises(OSError, match="a worker process was killed"):
            searched(tmp_path / "pool", watched, pool)
        killer.join()
    before = recorded(tmp_path / "pool")
    assert len(before) < BUDGET
    assert essence(before) == essence(alone[: len(before)])
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        resumed = searched(tmp_path / "pool", Value(), pool)
    assert essence(resumed) == essence(recorded(tmp_path / "pool")) == essence(alone)


def _kill_soon(processes):
    until = time.monotonic() + 60
    while time.monotonic() < until and not any(processes.iterdir()):
        time.sleep(0.02)
    time.sleep(0.3)
    kill_one(processes)
