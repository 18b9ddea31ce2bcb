"""The process that runs models under onnxruntime and reads the clocks; started by `ort_cpu`.

``python -m hwnas.latency.worker '{"threads": 1, "cores": [1], "options": {...}}'`` answers messages
(`messages`) on its standard streams until its input ends. It imports numpy and onnxruntime only.
With one thread the CPU time is the calling thread's, in which onnxruntime computes; with more it is
the whole process'.
"""

from __future__ import annotations

import gc
import json
import math
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from hwnas.latency.messages import receive, send

_CLOCK_SHARE = 0.005
_PAGE = 4096


def main() -> None:
    """Serve until the input ends."""
    config = json.loads(sys.argv[1])
    if config["cores"] and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, config["cores"])
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


class Worker:
    """Sessions by key, and the commands ``hello``, ``load`` and ``run``."""

    def __init__(self, config: dict[str, Any]) -> None:
        import onnxruntime

        self.ort = onnxruntime
        self.options = session_options(onnxruntime, config["threads"], config["options"])
        self.cpu_clock = time.thread_time_ns if config["threads"] == 1 else time.process_time_ns
        self.tick_ns = clock_tick_ns()
        self.calls: dict[str, Callable[[], None]] = {}
        self.together: dict[str, int] = {}

    def answer(self, header: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        """Do one command; an error of the runtime becomes an answer with ``error``."""
        commands = {"hello": self.hello, "load": self.load, "run": self.run}
        try:
            return commands[header["command"]](header, body)
        except Exception as error:
            return {"error": f"{type(error).__name__}: {error}"[:4000]}, b""

    def hello(self, header: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        """Version of the runtime and the loaded modules that no worker should have."""
        heavy = [name for name in ("torch", "onnx", "pandas", "scipy") if name in sys.modules]
        return {"version": self.ort.__version__, "heavy": heavy, "pid": os.getpid()}, b""

    def load(self, header: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        """Create a session, bind a fixed input, warm up."""
        session = self.ort.InferenceSession(body, self.options, providers=["CPUExecutionProvider"])
        binding = session.io_binding()
        for index, value in enumerate(session.get_inputs()):
            binding.bind_ortvalue_input(
                value.name, self.ort.OrtValue.ortvalue_from_numpy(fixed(value, index))
            )
        for value in session.get_outputs():
            binding.bind_output(value.name)
        call = partial(session.run_with_iobinding, binding)
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


def session_options(ort: Any, threads: int, options: dict[str, str]) -> Any:
    """Session options of the runtime card: sequential, everything optimised, spinning as asked."""
    made = ort.SessionOptions()
    made.intra_op_num_threads = threads
    made.inter_op_num_threads = 1
    made.execution_mode = getattr(ort.ExecutionMode, options["execution_mode"])
    made.graph_optimization_level = getattr(ort.GraphOptimizationLevel, options["graph_optimization_level"])
    made.add_session_config_entry("session.intra_op.allow_spinning", options["allow_spinning"])
    made.log_severity_level = 4
    return made


def fixed(value: Any, index: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """The same normal numbers for an input each time.

    Raises:
        ValueError: the input is not float32, or its shape is not static.
    """
    if value.type != "tensor(float)":
        raise ValueError(f"input {value.name!r} is {value.type}; only float32 inputs are measured")
    if not all(isinstance(size, int) for size in value.shape):
        raise ValueError(f"input {value.name!r} has shape {value.shape}; static sizes are needed")
    numbers = aligned(value.shape)
    numbers[...] = np.random.default_rng(index).standard_normal(value.shape, dtype=np.float32)
    return numbers


def aligned(shape: list[int]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """An array that starts on a memory page: kernels run up to 30 % slower on a chance alignment."""
    size = 4 * math.prod(shape)
    raw = np.empty(size + _PAGE, np.uint8)
    start = -raw.ctypes.data % _PAGE
    return raw[start : start + size].view(np.float32).reshape(shape)


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
    main()
