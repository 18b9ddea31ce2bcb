"""`--jobs` and `--dask`: where a command's work runs."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import NamedTuple

from hwnas.executors import dask_cluster, process_pool


class Workers(NamedTuple):
    """An executor, and how many calls it runs at a time."""

    executor: Executor
    number: int


@contextmanager
def workers(jobs: int, dask: str | None) -> Iterator[Workers]:
    """Processes of this machine, or the workers of the dask cluster whose scheduler has that address.

    Raises:
        ValueError: both are given, `jobs` is out of range, or nothing answers at the address.
    """
    if dask is None:
        with process_pool(jobs) as executor:
            yield Workers(executor, jobs)
        return
    if jobs != 1:
        raise ValueError("--jobs and --dask exclude each other: the cluster has its own workers")
    with dask_cluster(dask) as executor:
        yield Workers(executor, max(1, _threads_of_the_cluster()))


def _threads_of_the_cluster() -> int:
    from distributed import default_client

    return sum(default_client().nthreads().values())  # type: ignore[no-untyped-call]
