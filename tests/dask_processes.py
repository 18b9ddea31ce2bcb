"""A dask cluster as people start it: a scheduler and workers, each a process of its own, on loopback."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

PROGRAM = Path(sys.executable).with_name("dask")
SECONDS = 60


class Cluster(NamedTuple):
    """Where its scheduler listens, and the scheduler's process."""

    address: str
    scheduler: subprocess.Popen


@contextmanager
def cluster(folder: Path, workers: int, python_path: Path | str = "") -> Iterator[Cluster]:
    """A scheduler that leaves its address in `folder`, and so many workers of one thread."""
    variables = {**os.environ, "PYTHONPATH": str(python_path)}
    file = folder / "scheduler.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    here = ["--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", str(file)]
    started = [subprocess.Popen([PROGRAM, "scheduler", "--port", "0", *here], **quiet)]
    try:
        address = _address(file)
        for _ in range(workers):
            command = [PROGRAM, "worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
            started.append(subprocess.Popen(command, cwd=folder, env=variables, **quiet))
        yield Cluster(address, started[0])
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(SECONDS)


def _address(file: Path) -> str:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        if file.exists() and (text := file.read_text()):
            return json.loads(text)["address"]
        time.sleep(0.05)
    raise TimeoutError("the dask scheduler did not start")
