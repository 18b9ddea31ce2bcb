"""A worker process and the messages to it, whatever backend it runs and wherever it is."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from hwnas.latency.devices.device import MeterCard, ModelFailedError, Profile, Runner, RunnerDiedError
from hwnas.latency.printable import printable
from hwnas.latency.records import from_plain
from hwnas.latency.timing.messages import receive, send
from hwnas.latency.timing.samples import Chunk

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_SAID = 2000


class WorkerRunner(Runner):
    """A process that serves the worker's messages (`hwnas.latency.timing.worker`) on its standard streams.

    Args:
        command: what starts the process.
        version: of the runtime, which the worker must have too; None: whichever it has.
        environment: the process's environment variables; this process's by default.
        keep_open: file descriptors that the process inherits (the device's lock).

    Raises:
        RunnerDiedError: the worker does not start, or runs another version of the runtime.
    """

    def __init__(
        self,
        command: Sequence[str],
        version: str | None,
        *,
        environment: Mapping[str, str] | None = None,
        keep_open: tuple[int, ...] = (),
    ) -> None:
        self._errors: BinaryIO = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115 (closed in close)
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=environment,
            pass_fds=keep_open,
            start_new_session=True,  # Ctrl-C reaches the parent only, which ends the worker
        )
        try:
            self.hello = self._ask(None, {"command": "hello"})[0]
            found = self.hello.get("version")
            if version not in (None, found):
                raise RunnerDiedError(
                    f"the worker runs version {printable(str(found))} of its runtime, not {version}", None
                )
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """Process id of the worker."""
        return self._process.pid

    def load(self, key: str, model: bytes, warm_up: int) -> int:
        """Create a session and warm it up; see `Runner.load`."""
        answer, _ = self._ask(key, {"command": "load", "key": key, "warm_up": warm_up}, model)
        together = answer.get("together")
        if type(together) is not int or together < 1:
            raise self._nonsense(key, ValueError(f"together is {together!r:.60}"))
        return together

    def run(self, key: str, discard: int, count: int) -> Chunk:
        """Time one chunk; see `Runner.run`."""
        body = self._ask(key, {"command": "run", "key": key, "discard": discard, "count": count})[1]
        wall, cpu = self._times(key, body, 2, count) / 1000
        return Chunk(wall, cpu)

    def meter(self) -> MeterCard:
        """The worker's meter; see `Runner.meter`."""
        return from_plain(MeterCard, self.hello.get("meter"), "the worker's meter")

    def energy_mj(self, key: str, seconds: float) -> float:
        """Run a loaded model beside the meter; see `Runner.energy_mj`."""
        answer, _ = self._ask(key, {"command": "energy", "key": key, "seconds": seconds})
        joules = answer.get("joules")
        if not isinstance(joules, float) or not 0 < joules < math.inf:
            raise ModelFailedError(f"the meter gives {joules!r:.60} joules for one run of {key}")
        return 1000 * joules

    def profile(self, key: str, model: bytes, discard: int, count: int) -> Profile:
        """Profile a model in a session of its own; see `Runner.profile`."""
        header = {"command": "profile", "key": key, "discard": discard, "count": count}
        answer, body = self._ask(key, header, model)
        nodes = answer.get("nodes")
        if not isinstance(nodes, list) or not all(isinstance(node, str) for node in nodes):
            raise self._nonsense(key, ValueError(f"nodes are {nodes!r:.60}"))
        return Profile(tuple(nodes), self._times(key, body, count, len(nodes)))

    def close(self) -> None:
        """Kill the worker and wait for its end."""
        self._process.kill()
        for stream in (self._process.stdin, self._process.stdout):
            if stream:
                try:
                    stream.close()
                except BrokenPipeError:
                    continue
        self._process.wait()
        self._errors.close()

    def _ask(
        self, key: str | None, header: dict[str, Any], body: bytes = b""
    ) -> tuple[dict[str, Any], bytes]:
        assert self._process.stdin and self._process.stdout
        try:
            send(cast(BinaryIO, self._process.stdin), header, body)
            answer, data = receive(cast(BinaryIO, self._process.stdout))
        except (EOFError, BrokenPipeError):
            raise self._death(key) from None
        except ValueError as error:
            raise self._nonsense(key, error) from None
        if "error" in answer:
            raise ModelFailedError(f"the runtime failed on {key}: {printable(str(answer['error']))}")
        return answer, data

    def _times(self, key: str, body: bytes, rows: int, columns: int) -> NDArray[np.float64]:
        """The body of an answer as (rows, columns) times, which are finite and not negative."""
        if len(body) != 8 * rows * columns:
            raise self._nonsense(key, ValueError(f"{len(body)} bytes for {rows} x {columns} times"))
        times = np.frombuffer(body).reshape(rows, columns)
        if not (np.isfinite(times) & (times >= 0)).all():
            raise self._nonsense(key, ValueError("a time is negative or no finite number"))
        return times

    def _death(self, key: str | None) -> RunnerDiedError:
        """Why the process ended, which has happened or is about to."""
        code, said = self._process.wait(), self._said()
        cause = signal.Signals(-code).name if code < 0 else f"exit status {code}"
        doing = f"with {key}" if key else "while starting"
        message = f"the worker process ended {doing} ({cause})"
        return RunnerDiedError(f"{message}: {said}" if said else message, key)

    def _nonsense(self, key: str | None, error: ValueError) -> RunnerDiedError:
        return RunnerDiedError(f"the worker sent something that is no answer: {error}", key)

    def _said(self) -> str:
        """The end of what the process wrote to its error stream, control characters left out."""
        size = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, size - _SAID))
        return printable_lines(self._errors.read(_SAID))


def printable_lines(said: bytes) -> str:
    """Lines that a process said, each `printable`; blank ones are left out."""
    lines = map(printable, said.decode(errors="replace").splitlines())
    return "\n".join(line for line in lines if line)


def local_environment(threads: int) -> dict[str, str]:
    """Variables for a worker that imports what this process can, with as many threads as asked for."""
    paths = [path or str(Path.cwd()) for path in sys.path]
    return {**os.environ, **thread_variables(threads), "PYTHONPATH": os.pathsep.join(paths)}


def thread_variables(threads: int) -> dict[str, str]:
    """Variables that keep numerical libraries to as many threads."""
    return dict.fromkeys(_THREAD_VARIABLES, str(threads))
