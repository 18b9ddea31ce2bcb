"""Models under torch on an NVIDIA GPU, timed by events in its stream."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from hwnas.latency.timing.clocks import Call, EventClock
from hwnas.latency.timing.torch_backend import TorchBackend, inferred

_RUNS_BEFORE_CAPTURE = 3


class TorchCudaBackend(TorchBackend):
    """Modules on the first visible GPU; each a CUDA graph where asked for.

    Convolutions of float32 may use TF32 and cuDNN picks the fastest algorithm for each shape: torch's
    default, and what people set for fixed shapes.

    Args:
        config: that of `TorchBackend`; its ``options`` have ``graphs`` too.
    """

    device = torch.device("cuda", 0)

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        torch.backends.cudnn.allow_tf32 = True
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.benchmark = True
        self.clock = EventClock(partial(torch.cuda.Event, enable_timing=True), torch.cuda.synchronize)
        self._graphs = config["options"]["graphs"] == "True"

    def ready(self, module: nn.Module, inputs: list[Tensor]) -> Call:
        """A callable that runs the module once, or replays its graph."""
        return Captured(module, inputs) if self._graphs else super().ready(module, inputs)


class Captured:
    """One inference as a CUDA graph: a call replays it. It keeps the memory that the graph works on."""

    def __init__(self, module: nn.Module, inputs: list[Tensor]) -> None:
        self._module, self._inputs = module, inputs
        aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(_RUNS_BEFORE_CAPTURE):
                inferred(module, inputs)
        torch.cuda.current_stream().wait_stream(aside)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._outputs = inferred(module, inputs)

    def __call__(self) -> None:
        """Replay the inference."""
        self._graph.replay()
