"""Work in order, and nothing finished waits for what follows it."""

import importlib
import logging
import os
import pickle
import subprocess
import sys
import time

import pytest

from hwnas.executors import InlineExecutor, dask_cluster, in_order, outcome_of, process_pool
from tests.dask_processes import cluster

SCRIPT = """
import numpy as np
from threadpoolctl import threadpool_info
from hwnas.executors import process_pool

def threads():
    np.ones((9, 9)) @ np.ones((9, 9))
    return [one["num_threads"] for one in threadpool_info()]

if __name__ == "__main__":
    with process_pool(2) as pool:
        print(pool.submit(threads).result())
"""


def test_inline_results_come_as_they_are_done():
    done = []

    def work(number):
        done.append(number)
        return number

    results = in_order(InlineExecutor(), work, [(number,) for number in range(10)])
    assert next(results) == 0
    assert done == [0]
    assert list(results) == list(range(1, 10))


def test_a_worker_has_one_thread_also_where_the_main_module_imports_numpy(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    several = {**os.environ, "OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2", "MKL_NUM_THREADS": "2"}
    done = subprocess.run(
        [sys.executable, str(script)], env=several, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[1]"


def test_the_parent_keeps_its_own_number_of_threads(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    with process_pool(2) as pool:
        assert pool.submit(os.getenv, "OMP_NUM_THREADS").result() == "1"
    assert (os.environ["OMP_NUM_THREADS"], os.environ.get("MKL_NUM_THREADS")) == ("3", None)


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    pytest.importorskip("distributed")
    with cluster(tmp_path_factory.mktemp("cluster"), workers=2) as running:
        yield running


def test_calls_run_in_the_processes_of_a_cluster(running):
    with dask_cluster(running.address) as executor:
        processes = {executor.submit(os.getpid).result() for _ in range(3)}
    assert processes.isdisjoint({os.getpid(), running.scheduler.pid})


def test_a_worker_with_another_version_is_named(tmp_path):
    pytest.importorskip("distributed")
    (tmp_path / "hwnas-9.9.9.dist-info").mkdir()
    (tmp_path / "hwnas-9.9.9.dist-info" / "METADATA").write_text("Name: hwnas\nVersion: 9.9.9\n")
    with (
        cluster(tmp_path, workers=1, python_path=tmp_path) as other,
        pytest.raises(ValueError, match=r"worker tcp://127.* has hwnas 9\.9\.9, this is \d.*: install"),
        dask_cluster(other.address),
    ):
        pass


def test_a_cluster_without_workers(tmp_path, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("hwnas.executors.WORKER_SECONDS", 0.2)
    with (
        cluster(tmp_path, workers=0) as empty,
        pytest.raises(ValueError, match=f"{empty.address} has no workers: start some with `dask worker"),
        dask_cluster(empty.address),
    ):
        pass


def test_a_module_that_the_worker_has_not_is_named(running, tmp_path, monkeypatch):
    (tmp_path / "only_here.py").write_text("def work(): return 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    work = pickle.dumps(importlib.import_module("only_here").work)
    with dask_cluster(running.address) as executor:
        future = executor.submit(pickle.loads, work)
        with pytest.raises(ValueError, match="the worker says No module named 'only_here': install"):
            outcome_of(future)


class Kept(logging.Handler):
    """Keeps what is logged."""

    def __init__(self):
        super().__init__()
        self.records = []

    def emit(self, record):
        self.records.append(record)


def test_a_scheduler_that_ends_is_said_once(tmp_path):
    pytest.importorskip("distributed")
    logged = Kept()
    logging.getLogger("distributed.client").addHandler(logged)
    with cluster(tmp_path, workers=1) as ending, dask_cluster(ending.address) as executor:
        future = executor.submit(time.sleep, 60)
        ending.scheduler.kill()
        with pytest.raises(OSError, match="the scheduler of the cluster is gone; the same command goes on"):
            outcome_of(future)
    logging.getLogger("distributed.client").removeHandler(logged)
    assert not logged.records


@pytest.mark.parametrize("address", ["nonsense", "tcp://127.0.0.1", "foo://127.0.0.1:1", ""])
def test_what_is_no_address_is_refused(address):
    pytest.importorskip("distributed")
    with pytest.raises(ValueError, match=f"no dask scheduler answers at {address}"), dask_cluster(address):
        pass


def test_without_dask_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ValueError, match=r"pip install 'hwnas\[dask\]'"), dask_cluster("tcp://127.0.0.1:1"):
        pass
