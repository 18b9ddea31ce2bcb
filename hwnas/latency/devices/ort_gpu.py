"""The devices ``ort-cuda`` and ``ort-tensorrt``: this machine's NVIDIA GPU under onnxruntime."""

from __future__ import annotations

from hwnas.latency.devices.device import RuntimeCard
from hwnas.latency.devices.local_gpu import LocalGpu, shared_options
from hwnas.latency.devices.options import checked_choice, checked_precision
from hwnas.latency.devices.registry import register
from hwnas.latency.devices.worker_runner import WorkerRunner
from hwnas.latency.timing.onnxruntime_backend import LEVELS
from hwnas.latency.timing.protocol import STANDARD, Protocol


class OrtGpu(LocalGpu):
    """A provider of onnxruntime that runs models on the GPU, inputs and outputs in its memory.

    Args:
        level: optimisation of the graph.
        batch: samples in one inference.
        precision: long name of the precision.
        protocol: how models are timed.

    Raises:
        ValueError: this machine or onnxruntime has no such device, or an option is out of range.
    """

    provider: str

    def __init__(self, level: str, batch: int, precision: str, protocol: Protocol) -> None:
        super().__init__(batch, protocol)
        self.level = checked_choice(self.name, "level", level, LEVELS)
        self.precision = precision

    @classmethod
    def unavailable(cls) -> str | None:
        """Why there is no GPU or onnxruntime lacks the provider, or None where all is there."""
        import onnxruntime

        if cls.provider not in onnxruntime.get_available_providers():
            return f"onnxruntime {onnxruntime.__version__} has no {cls.provider}; onnxruntime-gpu may"
        return super().unavailable()

    def runtime(self) -> RuntimeCard:
        """Versions of onnxruntime, CUDA, cuDNN and the driver, and the options of a session."""
        import onnxruntime

        options = {
            **shared_options(),
            "level": self.level,
            "batch": str(self.batch),
            "layout": "channels_first",
            "execution_mode": "ORT_SEQUENTIAL",
            "allow_spinning": "1",
        }
        return RuntimeCard("onnxruntime", onnxruntime.__version__, self.provider, self.precision, options)

    def start(self, keep_open: tuple[int, ...] = ()) -> WorkerRunner:
        """Start a fresh worker process."""
        return self.start_worker("onnxruntime-gpu", self.runtime(), keep_open, provider=self.provider)


@register("ort-cuda")
class OrtCuda(OrtGpu):
    """The NVIDIA GPU of this machine under onnxruntime's CUDA provider, in float32.

    Args:
        protocol: how models are timed.
        level: optimisation of the graph, ``disable``, ``basic``, ``extended`` or ``all``.
        batch: samples in one inference.

    Raises:
        ValueError: this machine or onnxruntime has no such device, or an option is out of range.
    """

    name = "ort-cuda"
    provider = "CUDAExecutionProvider"

    def __init__(self, protocol: Protocol = STANDARD, *, level: str = "all", batch: int = 1) -> None:
        super().__init__(level, batch, "float32", protocol)


@register("ort-tensorrt")
class OrtTensorrt(OrtGpu):
    """The NVIDIA GPU of this machine under onnxruntime's TensorRT provider.

    Args:
        protocol: how models are timed.
        precision: ``fp32``, or ``fp16``: TensorRT may pick kernels of half precision.
        level: optimisation of the graph, ``disable``, ``basic``, ``extended`` or ``all``.
        batch: samples in one inference.

    Raises:
        ValueError: this machine or onnxruntime has no such device, or an option is out of range.
    """

    name = "ort-tensorrt"
    provider = "TensorrtExecutionProvider"

    def __init__(
        self,
        protocol: Protocol = STANDARD,
        *,
        precision: str = "fp32",
        level: str = "all",
        batch: int = 1,
    ) -> None:
        super().__init__(
            level, batch, checked_precision(self.name, precision, ("float32", "float16")), protocol
        )
