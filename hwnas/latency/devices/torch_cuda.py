"""The device ``torch-cuda``: this machine's NVIDIA GPU under torch, timed by CUDA events."""

from __future__ import annotations

from hwnas.latency.devices.device import RuntimeCard
from hwnas.latency.devices.local_gpu import LocalGpu, shared_options
from hwnas.latency.devices.options import LAYOUTS, checked_choice, checked_precision
from hwnas.latency.devices.registry import register
from hwnas.latency.devices.worker_runner import WorkerRunner
from hwnas.latency.timing.protocol import STANDARD, Protocol


@register("torch-cuda")
class TorchCuda(LocalGpu):
    """The NVIDIA GPU of this machine under torch.

    Args:
        protocol: how models are timed.
        precision: ``fp32`` (convolutions in TF32 where the GPU has it, torch's default), ``fp16`` or
            ``bf16``, of weights, activations and inputs.
        layout: of the feature maps in memory, ``channels_first`` or ``channels_last``.
        compile: whether ``torch.compile`` makes the models faster first; it takes many seconds a model.
        graphs: whether each model runs as one CUDA graph, which spares the launches of its kernels.
        batch: samples in one inference.

    Raises:
        ValueError: this machine has no CUDA GPU, or an option is out of range.
    """

    name = "torch-cuda"

    def __init__(
        self,
        protocol: Protocol = STANDARD,
        *,
        precision: str = "fp32",
        layout: str = "channels_first",
        compile: bool = False,
        graphs: bool = False,
        batch: int = 1,
    ) -> None:
        super().__init__(batch, protocol)
        self.precision = checked_precision(self.name, precision, ("float32", "float16", "bfloat16"))
        self.layout = checked_choice(self.name, "layout", layout, LAYOUTS)
        self.compile, self.graphs = compile, graphs

    def runtime(self) -> RuntimeCard:
        """Versions of torch, CUDA, cuDNN and the driver, and how torch runs the models."""
        import torch

        options = {
            **shared_options(),
            "layout": self.layout,
            "compile": str(self.compile),
            "graphs": str(self.graphs),
            "batch": str(self.batch),
            "tf32": "convolutions",
            "cudnn_benchmark": "True",
        }
        return RuntimeCard("torch", str(torch.__version__), "cuda", self.precision, options)

    def start(self, keep_open: tuple[int, ...] = ()) -> WorkerRunner:
        """Start a fresh worker process."""
        return self.start_worker("torch-cuda", self.runtime(), keep_open)
