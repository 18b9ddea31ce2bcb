"""The device ``ort-cpu``: this machine's processor under onnxruntime, timed by protocol ``ort-cpu-v1``.

Models run in a worker process of their own (`worker`), pinned to as many cores as it has threads
where the system allows it. The optimisation level is part of the runtime card: it changes latencies
by a factor of 1.2 to 4.5, and their ranking.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from hwnas.latency.devices.device import (
    Chunk,
    Device,
    DeviceCard,
    ModelFailedError,
    Runner,
    RunnerDiedError,
    RuntimeCard,
    register,
)
from hwnas.latency.timing import host
from hwnas.latency.timing.messages import receive, send
from hwnas.latency.timing.protocol import ORT_CPU_V1, Protocol

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@register("ort-cpu")
class OrtCpu(Device):
    """The processor of this machine under onnxruntime.

    Args:
        threads: threads of one inference, 1 to the number of cores this process may use. More than
            one is only repeatable on an otherwise idle machine.
        protocol: how models are timed.

    Raises:
        ValueError: threads out of range.
    """

    name = "ort-cpu"
    machine = "cpu"

    def __init__(self, threads: int = 1, protocol: Protocol = ORT_CPU_V1) -> None:
        cores = host.usable_cores()
        if not 1 <= threads <= len(cores):
            raise ValueError(f"threads must be 1 to {len(cores)} (the usable cores), not {threads}")
        self.threads = threads
        self.protocol = protocol
        self.cores = sorted(cores[:threads])

    def describe(self) -> DeviceCard:
        """What the processor is."""
        return DeviceCard(
            kind="cpu",
            vendor=host.cpuinfo().get("vendor_id", "unknown"),
            model=host.cpu_model(),
            flags_digest=host.flags_digest(),
            cores=os.cpu_count() or len(host.usable_cores()),
            threads=self.threads,
            governor=host.governor(),
            virtual=host.is_virtual(),
            maximum_mhz=host.maximum_mhz(),
            memory_kib=host.memory_kib(),
            os=host.operating_system(),
        )

    def runtime(self) -> RuntimeCard:
        """Version of onnxruntime and the options of a session."""
        import onnxruntime

        options = {
            "execution_mode": "ORT_SEQUENTIAL",
            "graph_optimization_level": "ORT_ENABLE_ALL",
            "intra_op_num_threads": str(self.threads),
            "inter_op_num_threads": "1",
            "allow_spinning": "1" if self.threads == 1 else "0",
        }
        return RuntimeCard("onnxruntime", onnxruntime.__version__, "CPUExecutionProvider", "float32", options)

    def start(self, keep_open: tuple[int, ...] = ()) -> OrtRunner:
        """Start a fresh worker process."""
        return OrtRunner(self.threads, self.cores, self.runtime(), keep_open)


class OrtRunner(Runner):
    """A worker process and the pipes to it.

    Raises:
        RunnerDiedError: the worker does not start, or runs another onnxruntime than this process.
    """

    def __init__(
        self, threads: int, cores: list[int], runtime: RuntimeCard, keep_open: tuple[int, ...]
    ) -> None:
        config = {"backend": "onnxruntime", "threads": threads, "cores": cores, "options": runtime.options}
        self._errors: BinaryIO = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115 (closed in close)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "hwnas.latency.timing.worker", json.dumps(config)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=_environment(threads),
            pass_fds=keep_open,
            start_new_session=True,  # Ctrl-C reaches the parent only, which ends the worker
        )
        try:
            version = self._ask(None, {"command": "hello"})[0]["version"]
            if version != runtime.version:
                raise RunnerDiedError(f"the worker runs onnxruntime {version}, not {runtime.version}", None)
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """Process id of the worker."""
        return self._process.pid

    def load(self, key: str, model: bytes, warm_up: int) -> int:
        """Create a session and warm it up; see `Runner.load`."""
        return int(self._ask(key, {"command": "load", "key": key, "warm_up": warm_up}, model)[0]["together"])

    def run(self, key: str, discard: int, count: int) -> Chunk:
        """Time one chunk; see `Runner.run`."""
        body = self._ask(key, {"command": "run", "key": key, "discard": discard, "count": count})[1]
        wall, cpu = np.frombuffer(body).reshape(2, count) / 1000
        return Chunk(wall, cpu)

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
            raise RunnerDiedError(self._obituary(key), key) from None
        if "error" in answer:
            raise ModelFailedError(f"onnxruntime failed on {key}: {answer['error']}")
        return answer, data

    def _obituary(self, key: str | None) -> str:
        code = self._process.wait()
        cause = signal.Signals(-code).name if code < 0 else f"exit status {code}"
        self._errors.seek(0)
        said = self._errors.read()[-2000:].decode(errors="replace").strip()
        doing = f"with {key}" if key else "while starting"
        return f"the worker process ended {doing} ({cause})" + (f": {said}" if said else "")


def _environment(threads: int) -> dict[str, str]:
    paths = [path or str(Path.cwd()) for path in sys.path]
    variables = dict.fromkeys(_THREAD_VARIABLES, str(threads))
    return {**os.environ, **variables, "PYTHONPATH": os.pathsep.join(paths)}
