"""The device ``torch-cpu``: this machine's processor under torch."""

from __future__ import annotations

import shutil

from hwnas.latency.devices.device import RuntimeCard
from hwnas.latency.devices.local_cpu import LocalCpu
from hwnas.latency.devices.options import LAYOUTS, checked_choice, checked_precision
from hwnas.latency.devices.registry import register
from hwnas.latency.devices.worker_runner import WorkerRunner
from hwnas.latency.timing.protocol import STANDARD, Protocol

_COMPILERS = ("g++", "clang++", "cl")


@register("torch-cpu")
class TorchCpu(LocalCpu):
    """The processor of this machine under torch, module by module or compiled.

    Args:
        threads: threads of one inference, 1 to the number of cores this process may use.
        protocol: how models are timed.
        precision: ``fp32`` or ``bf16``, of weights, activations and inputs.
        layout: of the feature maps in memory, ``channels_first`` or ``channels_last``.
        compile: whether ``torch.compile`` makes the models faster first: minutes for a
            network on one core, and a table's worth of hours.
        batch: samples in one inference.

    Raises:
        ValueError: an option is out of range, or there is no C++ compiler for ``compile``.
    """

    name = "torch-cpu"

    def __init__(
        self,
        threads: int = 1,
        protocol: Protocol = STANDARD,
        *,
        precision: str = "fp32",
        layout: str = "channels_first",
        compile: bool = False,
        batch: int = 1,
    ) -> None:
        super().__init__(threads, batch, protocol)
        self.precision = checked_precision(self.name, precision, ("float32", "bfloat16"))
        self.layout = checked_choice(self.name, "layout", layout, LAYOUTS)
        if compile and not any(map(shutil.which, _COMPILERS)):
            raise ValueError(f"{self.name}: compile needs a C++ compiler, and none of {_COMPILERS} is here")
        self.compile = compile

    def runtime(self) -> RuntimeCard:
        """Version of torch and how it runs the models."""
        import torch

        options = {
            "layout": self.layout,
            "compile": str(self.compile),
            "batch": str(self.batch),
            "intra_op_threads": str(self.threads),
        }
        return RuntimeCard("torch", str(torch.__version__), "cpu", self.precision, options)

    def start(self, keep_open: tuple[int, ...] = ()) -> WorkerRunner:
        """Start a fresh worker process."""
        card = self.runtime()
        return self.start_worker(
            "torch-cpu", card.version, keep_open, precision=card.precision, options=card.options
        )
