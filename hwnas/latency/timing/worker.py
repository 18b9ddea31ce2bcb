"""The process that runs models and reads the clocks; started by the devices.

``python -m hwnas.latency.timing.worker '{"backend": "onnxruntime", "threads": 1, "cores": [1], ...}'``
answers messages (`messages`) on its standard streams until its input ends. A backend turns a model into a
callable and brings the clock for it; the worker imports numpy and its backend's runtime only.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from dataclasses import asdict
from importlib import import_module
from typing import Any, Protocol, runtime_checkable

from hwnas.latency.timing import host
from hwnas.latency.timing.clocks import Call, Clock, Samples
from hwnas.latency.timing.energy import Meter, NoMeterError, joules_per_run, open_meter
from hwnas.latency.timing.lock import PROCESSOR, lock_if_free
from hwnas.latency.timing.messages import receive, send

_HERE = "hwnas.latency.timing"
BACKENDS = {
    "onnxruntime": (f"{_HERE}.onnxruntime_backend", "OnnxruntimeBackend"),
    "onnxruntime-gpu": (f"{_HERE}.onnxruntime_gpu_backend", "OnnxruntimeGpuBackend"),
    "torch-cpu": (f"{_HERE}.torch_backend", "TorchBackend"),
    "torch-cuda": (f"{_HERE}.torch_cuda_backend", "TorchCudaBackend"),
}
"""Name -> module, which is imported when it is asked for, and class."""

_CLOCK_SHARE = 0.005

PATIENCE_SECONDS = 600
"""How long a worker that holds the machine's lock waits for a message, before it ends and lets go: the
connection may have broken without a word."""


class Backend(Protocol):
    """A runtime with its options, made of a worker's config."""

    version: str
    clock: Clock

    def load(self, model: bytes) -> Call:
        """Make an ONNX model ready; what comes back runs it once on fixed inputs.

        Raises:
            Exception: whatever the runtime raises for a model that it refuses.
        """


@runtime_checkable
class Profiler(Protocol):
    """A backend whose runtime tells the times of its nodes."""

    def profile(self, model: bytes, discard: int, count: int) -> tuple[list[str], Samples]:
        """Names of the executed nodes, and their microseconds, (count, nodes), after ``discard`` runs."""


def main() -> None:
    """Serve with the config that is the last argument."""
    serve(json.loads(sys.argv[-1]))


def serve(config: dict[str, Any]) -> None:
    """Answer messages until the input ends."""
    pin(config["cores"], config["threads"])
    requests = sys.stdin.buffer
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what native code prints must not enter the messages
    worker = Worker(config)
    gc.disable()
    while True:
        signal.alarm(PATIENCE_SECONDS if worker.holds_machine else 0)
        try:
            header, body = receive(requests)
        except EOFError:
            return
        signal.alarm(0)
        send(answers, *worker.answer(header, body))


def pin(cores: list[int] | None, threads: int) -> None:
    """Pin this process where the system allows it; None: to the best `threads` cores there are."""
    if cores is None:
        usable = host.usable_cores()
        if threads > len(usable):
            sys.exit(f"threads must be 1 to {len(usable)} (the usable cores), not {threads}")
        cores = usable[:threads]
    if cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)


class Worker:
    """Loaded models by key, and a command for each message: ``hello``, ``load``, ``run``, ..."""

    def __init__(self, config: dict[str, Any]) -> None:
        module, name = BACKENDS[config["backend"]]
        self.backend: Backend = getattr(import_module(module), name)(config)
        self.clock = self.backend.clock
        self.calls: dict[str, Call] = {}
        self.together: dict[str, int] = {}
        self._lock: int | None = None
        self.meter: Meter | None = None
        try:
            self.meter = open_meter(config.get("meter"))
            self.about_meter = self.meter.description
        except NoMeterError as reason:
            self.about_meter = str(reason)

    def answer(self, header: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        """Do one command; an error of the runtime becomes an answer with ``error``."""
        commands = {
            "hello": self.hello,
            "lock": self.lock,
            "reading": self.reading,
            "load": self.load,
            "run": self.run,
            "energy": self.energy,
            "profile": self.profile,
        }
        try:
            return commands[header["command"]](header, body)
        except Exception as error:
            return {"error": f"{type(error).__name__}: {error}"[:4000]}, b""

    def hello(self, header: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        """Version of the runtime, processor, meter, and loaded modules that few workers should have."""
        heavy = [name for name in ("torch", "onnx", "pandas", "scipy") if name in sys.modules]
        facts = asdict(host.facts())
        meter = {"readable": self.meter is not None, "description": self.about_meter}
        return {
            "version": self.backend.version,
            "host": facts,
            "meter": meter,
            "heavy": heavy,
            "pid": os.getpid(),
        }, b""

    @property
    def holds_machine(self) -> bool:
        """Whether this process has the machine's lock itself."""
        return self._lock is not None

    def lock(self, header: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        """Take the machine's lock if it is free; it goes when this process ends."""
        if self._lock is None:
            self._lock = lock_if_free(PROCESSOR)
        return {"held": self.holds_machine}, b""

    def reading(self, header: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        """The machine at this moment: load, clock, ticks."""
        return asdict(host.reading()), b""

    def load(self, header: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        """Make a model ready to run, and warm it up."""
        call = self.backend.load(body)
        shortest = min(self.clock.samples(call, 1, 1)[0, 0] for _ in range(header["warm_up"]))
        key = header["key"]
        self.calls[key] = call
        self.together[key] = max(1, round(self.clock.tick_ns / (_CLOCK_SHARE * max(shortest, 1))))
        return {"together": self.together[key]}, b""

    def run(self, header: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        """Time a chunk; the body is (2, count) float64: wall and CPU nanoseconds of one inference."""
        call, together = self.calls[header["key"]], self.together[header["key"]]
        for _ in range(header["discard"] * together):
            call()
        return {}, (self.clock.samples(call, header["count"], together) / together).tobytes()

    def energy(self, header: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        """Joules of one inference, over at least ``seconds`` of them in a row."""
        if self.meter is None:
            raise NoMeterError(self.about_meter)
        call = self.calls[header["key"]]
        return {"joules": joules_per_run(self.meter, call, self.clock, header["seconds"])}, b""

    def profile(self, header: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        """Times of a model's nodes; the body is (count, nodes) float64 microseconds."""
        if not isinstance(self.backend, Profiler):
            raise ValueError("this runtime gives no profile of its nodes")
        nodes, times = self.backend.profile(body, header["discard"], header["count"])
        return {"nodes": nodes}, times.tobytes()


if __name__ == "__main__":
    main()
