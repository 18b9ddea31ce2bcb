"""The process that runs models and reads the clocks; started by the devices.

``python -m hwnas.latency.timing.worker '{"backend": "onnxruntime", "threads": 1, "cores": [1], ...}'``
answers messages (`messages`) on its standard streams until its input ends. A backend turns a model into a
callable; the worker imports numpy and its backend's runtime only. With one thread the CPU time is the
calling thread's, in which the runtime computes; with more it is the whole process'.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np

from hwnas.latency.timing import host
from hwnas.latency.timing.messages import receive, send
from hwnas.latency.timing.onnxruntime_backend import OnnxruntimeBackend

BACKENDS = {"onnxruntime": OnnxruntimeBackend}

_CLOCK_SHARE = 0.005


def serve(config: dict[str, Any]) -> None:
    """Answer messages until the input ends."""
    pin(config["cores"], config["threads"])
    requests = sys.stdin.buffer
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what native code prints must not enter the messages
    worker = Worker(config)
    gc.disable()
    while True:
        try:
            header, body = receive(requests)
        except EOFError:
            return
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
    """Sessions by key, and the commands ``hello``, ``reading``, ``load``, ``run`` and ``profile``."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.backend = BACKENDS[config["backend"]](config)
        self.cpu_clock = time.thread_time_ns if config["threads"] == 1 else time.process_time_ns
        self.tick_ns = clock_tick_ns()
        self.calls: dict[str, Callable[[], None]] = {}
        self.together: dict[str, int] = {}

    def answer(self, header: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        """Do one command; an error of the runtime becomes an answer with ``error``."""
        commands = {
            "hello": self.hello,
            "reading": self.reading,
            "load": self.load,
            "run": self.run,
            "profile": self.profile,
        }
        try:
            return commands[header["command"]](header, body)
        except Exception as error:
            return {"error": f"{type(error).__name__}: {error}"[:4000]}, b""

    def hello(self, header: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        """Version of the runtime, the processor, and the loaded modules that no worker should have."""
        heavy = [name for name in ("torch", "onnx", "pandas", "scipy") if name in sys.modules]
        facts = asdict(host.facts())
        return {"version": self.backend.version, "host": facts, "heavy": heavy, "pid": os.getpid()}, b""

    def reading(self, header: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        """The machine at this moment: load, clock, ticks."""
        return asdict(host.reading()), b""

    def load(self, header: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        """Make a model ready to run, and warm it up."""
        call = self.backend.load(body)
        shortest = min(time_once(call) for _ in range(header["warm_up"]))
        key = header["key"]
        self.calls[key] = call
        self.together[key] = max(1, round(self.tick_ns / (_CLOCK_SHARE * max(shortest, 1))))
        return {"together": self.together[key]}, b""

    def run(self, header: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        """Time a chunk; the body is (2, count) float64: wall and CPU nanoseconds of one inference."""
        call, together = self.calls[header["key"]], self.together[header["key"]]
        for _ in range(header["discard"] * together):
            call()
        times = np.empty((2, header["count"]))
        for i in range(header["count"]):
            cpu = self.cpu_clock()
            start = time.perf_counter_ns()
            for _ in range(together):
                call()
            times[0, i] = time.perf_counter_ns() - start
            times[1, i] = self.cpu_clock() - cpu
        return {}, (times / together).tobytes()

    def profile(self, header: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        """Times of a model's nodes; the body is (count, nodes) float64 microseconds."""
        nodes, times = self.backend.profile(body, header["discard"], header["count"])
        return {"nodes": nodes}, times.tobytes()


def time_once(call: Callable[[], None]) -> int:
    """Nanoseconds of one call."""
    start = time.perf_counter_ns()
    call()
    return time.perf_counter_ns() - start


def clock_tick_ns() -> int:
    """Smallest step between two readings of the wall clock."""
    steps = []
    for _ in range(200):
        start = now = time.perf_counter_ns()
        while now == start:
            now = time.perf_counter_ns()
        steps.append(now - start)
    return min(steps)


if __name__ == "__main__":
    serve(json.loads(sys.argv[1]))
