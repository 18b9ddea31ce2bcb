"""One measurement at a time on a machine: an advisory lock on a file in the temporary folder."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PROCESSOR = "cpu"
"""The machine that the processor's devices share, and the GPUs', whose work it starts."""


def lock_path(machine: str) -> Path:
    """The file that stands for a machine; it stays empty."""
    return Path(tempfile.gettempdir()) / f"hwnas-measuring-{machine}.lock"


@contextmanager
def machine_lock(machine: str, waiting: Callable[[], None]) -> Iterator[int]:
    """Hold the machine; yields the descriptor of the lock.

    Whoever inherits the descriptor holds the lock too, so a worker whose parent was killed keeps the
    machine until it ends. The lock goes with the processes that hold it: no stale locks.

    Args:
        machine: what is locked.
        waiting: called once if another measurement holds the machine, before waiting for it.
    """
    descriptor = _open(lock_path(machine))
    try:
        if not _locked(descriptor):
            waiting()
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def lock_if_free(machine: str) -> int | None:
    """The descriptor of the machine's lock, held until it is closed; None: another process holds it."""
    descriptor = _open(lock_path(machine))
    if _locked(descriptor):
        return descriptor
    os.close(descriptor)
    return None


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _open(path: Path) -> int:
    # Without O_CREAT first: Linux refuses to "create" a file that another user made in a shared folder.
    with suppress(FileNotFoundError):
        return os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CREAT, 0o644)
