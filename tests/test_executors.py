"""Work in order, and nothing finished waits for what follows it."""

import os
import subprocess
import sys

from hwnas.executors import InlineExecutor, in_order, process_pool

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
