"""Models under onnxruntime, as callables on fixed inputs."""

from __future__ import annotations

import json
import math
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from hwnas.latency.timing.clocks import Call, Clock, HostClock

LEVELS = {
    "disable": "ORT_DISABLE_ALL",
    "basic": "ORT_ENABLE_BASIC",
    "extended": "ORT_ENABLE_EXTENDED",
    "all": "ORT_ENABLE_ALL",
}
_PAGE = 4096
_PROVIDERS = ["CPUExecutionProvider"]
_KERNEL = "_kernel_time"


class OnnxruntimeBackend:
    """Sessions of one set of options.

    Args:
        config: ``threads``, and ``options``, the runtime card's.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        import onnxruntime

        self.version: str = onnxruntime.__version__
        self._ort = onnxruntime
        self._config = config
        self.clock: Clock = HostClock(config["threads"])
        self._options = session_options(onnxruntime, config["threads"], config["options"])

    def load(self, model: bytes) -> Call:
        """Create a session with a fixed input bound; what comes back runs it once.

        Raises:
            Exception: whatever the runtime raises for a model that it refuses.
        """
        return self._ready(self.session(model, self._options))

    def session(self, model: bytes, options: Any) -> Any:
        """A session on the processor; raises as `load`."""
        return self._ort.InferenceSession(model, options, providers=_PROVIDERS)

    def profile(
        self, model: bytes, discard: int, count: int
    ) -> tuple[list[str], np.ndarray[Any, np.dtype[np.float64]]]:
        """Names of the executed nodes, and their microseconds, (count, nodes), after ``discard`` runs."""
        with tempfile.TemporaryDirectory() as folder:
            options = session_options(self._ort, self._config["threads"], self._config["options"])
            options.enable_profiling = True
            options.profile_file_prefix = str(Path(folder) / "profile")
            session = self.session(model, options)
            call = self._ready(session)
            for _ in range(discard + count):
                call()
            events = json.loads(Path(session.end_profiling()).read_text())
        return node_times(events, discard, count)

    def _ready(self, session: Any) -> Call:
        binding = session.io_binding()
        for index, value in enumerate(session.get_inputs()):
            binding.bind_ortvalue_input(
                value.name, self._ort.OrtValue.ortvalue_from_numpy(fixed(value, index))
            )
        for value in session.get_outputs():
            binding.bind_output(value.name)
        return partial(session.run_with_iobinding, binding)


def node_times(
    events: list[dict[str, Any]], discard: int, count: int
) -> tuple[list[str], np.ndarray[Any, np.dtype[np.float64]]]:
    """Names and times of the nodes from a profile's events, the first ``discard`` runs left out.

    Raises:
        ValueError: the runs did not all execute the same nodes.
    """
    kernels = [e for e in events if e.get("cat") == "Node" and e["name"].endswith(_KERNEL)]
    per_run, rest = divmod(len(kernels), discard + count)
    names = [e["name"].removesuffix(_KERNEL) for e in kernels]
    if rest or names != names[:per_run] * (discard + count):
        raise ValueError(f"{len(kernels)} nodes in {discard + count} runs: not the same in each")
    times = np.array([e["dur"] for e in kernels], dtype=np.float64).reshape(discard + count, per_run)
    return names[:per_run], times[discard:]


def session_options(ort: Any, threads: int, options: dict[str, str]) -> Any:
    """Session options of the runtime card: sequential, optimised and spinning as asked."""
    made = ort.SessionOptions()
    made.intra_op_num_threads = threads
    made.inter_op_num_threads = 1
    made.execution_mode = getattr(ort.ExecutionMode, options["execution_mode"])
    made.graph_optimization_level = getattr(ort.GraphOptimizationLevel, LEVELS[options["level"]])
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
