"""Where evaluations run: in this process, or in any `concurrent.futures.Executor`."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import wait
from typing import Any, TypeVar

T = TypeVar("T")
WORKER_SECONDS = 10
"""How long to wait for the first worker of a cluster."""
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class InlineExecutor(Executor):
    """Runs each call at once, in the calling thread."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """The finished future of `fn(*args, **kwargs)`; Ctrl-C goes through."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # handed on by the future, as every executor does
            future.set_exception(error)
        return future


def process_pool(jobs: int) -> Executor:
    """`jobs` fresh worker processes with one thread each; inline where `jobs` is 1.

    Raises:
        ValueError: `jobs` is below 1 or far above the number of cores.
    """
    cores = os.cpu_count() or 1
    if not 1 <= jobs <= 4 * cores:
        raise ValueError(f"jobs must be from 1 to {4 * cores} on this machine of {cores} cores, not {jobs}")
    if jobs == 1:
        return InlineExecutor()
    return _OneThreadPool(jobs, mp_context=multiprocessing.get_context("spawn"), initializer=follow_parent)


class _OneThreadPool(ProcessPoolExecutor):
    """Fresh processes that start with the variables which keep BLAS, OpenMP and torch to one thread.

    A spawned worker imports the main module, and numpy with it, before its initializer runs: too late there.
    """

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """The future of `fn(*args, **kwargs)`; workers are started in here."""
        with _one_thread():
            return super().submit(fn, *args, **kwargs)


@contextmanager
def _one_thread() -> Iterator[None]:
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def dask_cluster(address: str) -> Iterator[Executor]:
    """An executor on the workers of the dask scheduler at `address`, such as `tcp://127.0.0.1:8786`.

    Raises:
        ValueError: dask is not installed, nothing answers at the address, or the scheduler has no worker, or
            one without this version of hwnas.
    """
    try:
        from distributed import Client
        from distributed.comm.addressing import get_address_host_port
    except ImportError:
        raise ValueError("dask is not installed: pip install 'hwnas[dask]'") from None
    try:
        get_address_host_port(address)  # a client of a malformed address leaves its thread behind
        client = Client(address, timeout=10)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise ValueError(f"no dask scheduler answers at {address}: {error}") from error
    with _unlogged("distributed.client"), client:
        _check_workers(client, address)
        yield client.get_executor(pure=False)  # type: ignore[no-untyped-call]


@contextmanager
def _unlogged(module: str) -> Iterator[None]:
    """Keep back what a module logs below its critical messages: errors are raised, or told by us."""
    logger = logging.getLogger(module)
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _check_workers(client: Any, address: str) -> None:
    try:
        client.wait_for_workers(1, timeout=WORKER_SECONDS)
    except asyncio.TimeoutError:
        raise ValueError(
            f"the dask scheduler at {address} has no workers: start some with `dask worker {address}`"
        ) from None
    versions = client.get_versions(packages=["hwnas"])
    here = versions["client"]["packages"]["hwnas"]
    for worker, its in versions["workers"].items():
        if (there := its["packages"].get("hwnas")) != here:
            raise ValueError(
                f"the dask worker {worker} has {f'hwnas {there}' if there else 'no hwnas'}, this is {here}: "
                "install the same there"
            )


def in_order(
    executor: Executor, function: Callable[..., T], calls: Iterable[Sequence[Any]], *, ahead: int = 64
) -> Iterator[T]:
    """The results of `function(*call)` in the order of the calls, at most `ahead` of them under way.

    Raises:
        OSError: a worker process was killed.
    """
    waiting: deque[Future[T]] = deque()
    try:
        for call in calls:
            waiting.append(executor.submit(function, *call))
            while waiting and (len(waiting) > ahead or waiting[0].done()):
                yield outcome_of(waiting.popleft())
        while waiting:
            yield outcome_of(waiting.popleft())
    finally:
        for future in waiting:
            future.cancel()


def outcome_of(future: Future[T]) -> T:
    """The future's result.

    Raises:
        OSError: its worker process was killed, or its scheduler is gone.
        ValueError: a module is not to be found where the worker runs.
    """
    try:
        return future.result()
    except ModuleNotFoundError as error:
        raise ValueError(
            f"the worker says {error}: install the module there, or add its folder to the worker's PYTHONPATH"
        ) from error
    except CancelledError as error:
        raise OSError(
            "the scheduler of the cluster is gone; the same command goes on from here when it is back"
        ) from error
    except Exception as error:
        if not _tells_of_a_killed_worker(error):
            raise
        raise OSError(
            "a worker process was killed, perhaps for want of memory; the same command goes on from here, "
            "fewer --jobs need less"
        ) from error


def _tells_of_a_killed_worker(error: Exception) -> bool:
    dask = sys.modules.get("distributed")
    return isinstance(error, BrokenExecutor) or (dask is not None and isinstance(error, dask.KilledWorker))


def end_now() -> None:
    """End this process at once, without its exit handlers."""
    os._exit(1)


def follow_parent(end: Callable[[], None] = end_now) -> None:
    """Leave Ctrl-C to the parent process, which stops this one, and end with it by `end`."""
    import signal
    import threading

    threading.Thread(target=_end_with_parent, args=(end,), daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _end_with_parent(end: Callable[[], None]) -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        end()
