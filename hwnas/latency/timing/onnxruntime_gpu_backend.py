"""Models under onnxruntime on an NVIDIA GPU, timed by events in its stream.

torch is imported first: it brings the CUDA and cuDNN libraries that onnxruntime's providers need, the
stream and the events.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch

from hwnas.latency.timing.clocks import Call, EventClock
from hwnas.latency.timing.onnxruntime_backend import OnnxruntimeBackend, fixed

_CUDA = "CUDAExecutionProvider"
_TENSORRT = "TensorrtExecutionProvider"


class OnnxruntimeGpuBackend(OnnxruntimeBackend):
    """Sessions of one provider on the first visible GPU.

    Args:
        config: ``provider``, ``precision``, ``threads``, and ``options``, the runtime card's.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self._stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        self.clock = EventClock(partial(StreamEvent, self._stream), self._stream.synchronize)
        self._providers = providers(config["provider"], config["precision"], self._stream.cuda_stream)

    def session(self, model: bytes, options: Any) -> Any:
        """A session on the GPU.

        Raises:
            RuntimeError: onnxruntime fell back to another provider, as it does without a word.
            Exception: whatever the runtime raises for a model that it refuses.
        """
        made = self._ort.InferenceSession(model, options, providers=self._providers)
        wanted, found = self._providers[0][0], made.get_providers()
        if found[0] != wanted:
            raise RuntimeError(f"{wanted} does not start; onnxruntime fell back to {', '.join(found)}")
        return made

    def _ready(self, session: Any) -> Call:
        binding = session.io_binding()
        for index, value in enumerate(session.get_inputs()):
            there = self._ort.OrtValue.ortvalue_from_numpy(fixed(value, index), "cuda", 0)
            binding.bind_ortvalue_input(value.name, there)
        for value in session.get_outputs():
            binding.bind_output(value.name, "cuda", 0)
        return partial(session.run_with_iobinding, binding)


class StreamEvent:
    """A CUDA event that is recorded in one stream."""

    def __init__(self, stream: torch.cuda.Stream) -> None:
        self._stream = stream
        self._event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]

    def record(self) -> None:
        """Put the mark behind all work of the stream."""
        self._event.record(self._stream)

    def elapsed_time(self, later: StreamEvent) -> float:
        """Milliseconds from this mark to a later one."""
        return float(self._event.elapsed_time(later._event))


def providers(wanted: str, precision: str, stream: int) -> list[tuple[str, dict[str, str]]]:
    """Providers in order, with their options; TensorRT leaves to CUDA what it cannot run."""
    shared = {"device_id": "0", "user_compute_stream": str(stream)}
    cuda = (_CUDA, {**shared, "cudnn_conv_algo_search": "EXHAUSTIVE"})
    half = "1" if precision == "float16" else "0"
    return [(_TENSORRT, {**shared, "trt_fp16_enable": half}), cuda] if wanted == _TENSORRT else [cuda]
