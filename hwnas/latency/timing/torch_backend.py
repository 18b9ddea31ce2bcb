"""Models under torch on the processor, as callables on fixed inputs."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from hwnas.latency.timing.clocks import Call, Clock, HostClock
from hwnas.network.from_onnx import from_onnx, onnx_weights
from hwnas.network.onnx_file import load_model
from hwnas.network.to_torch import to_torch
from hwnas.network.weights import Weights

_FORMATS = {"channels_first": torch.contiguous_format, "channels_last": torch.channels_last}


class TorchBackend:
    """Modules in evaluation mode, without gradients.

    Args:
        config: ``threads``, ``precision`` (the name of a torch dtype) and ``options``: ``layout`` and
            ``compile``, as the runtime card has them.
    """

    device = torch.device("cpu")

    def __init__(self, config: dict[str, Any]) -> None:
        torch.set_num_threads(config["threads"])
        self.version = str(torch.__version__)
        self.clock: Clock = HostClock(config["threads"])
        self._dtype: torch.dtype = getattr(torch, config["precision"])
        self._format = _FORMATS[config["options"]["layout"]]
        self._compiles = config["options"]["compile"] == "True"

    def load(self, model: bytes) -> Call:
        """Make a module of an ONNX model, with its weights, and a fixed input.

        Raises:
            Exception: the model is no network of ours, has other weights than it, or torch refuses it.
        """
        network, weights = from_onnx(model), onnx_weights(model)
        module: nn.Module = to_torch(network).eval().requires_grad_(False)
        set_weights(module, weights)
        module = module.to(self.device, self._dtype)
        module = module.to(memory_format=self._format)  # type: ignore[call-overload]
        inputs = [self._input(shape, index) for index, shape in enumerate(input_shapes(model))]
        return self.ready(torch.compile(module) if self._compiles else module, inputs)  # type: ignore[arg-type]

    def ready(self, module: nn.Module, inputs: list[Tensor]) -> Call:
        """A callable that runs the module once."""
        return partial(inferred, module, inputs)

    def _input(self, shape: tuple[int, ...], index: int) -> Tensor:
        """The same normal numbers for an input each time, of shape (batch, ...)."""
        generator = torch.Generator().manual_seed(index)
        tensor = torch.randn(shape, generator=generator).to(self.device, self._dtype)
        return tensor.contiguous(memory_format=self._format) if tensor.dim() == 4 else tensor


def set_weights(module: nn.Module, weights: Weights) -> None:
    """Give the module weights by name; a weight that several layers share has one of their names.

    Raises:
        ValueError: a weight is of no parameter of the module.
    """
    state = {name: torch.from_numpy(weight) for name, weight in weights.items()}
    unmatched = module.load_state_dict(state, strict=False).unexpected_keys
    if unmatched:
        raise ValueError(f"the module has no parameters for the weights {', '.join(unmatched[:5])}")


@torch.inference_mode()
def inferred(module: nn.Module, inputs: list[Tensor]) -> Any:
    """The module's outputs."""
    return module(*inputs)


def input_shapes(model: bytes) -> list[tuple[int, ...]]:
    """Shapes of the inputs of an ONNX model, batch first.

    Raises:
        ValueError: a size is not fixed.
    """
    graph = load_model(model).graph
    weights = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights]
    shapes = [tuple(size.dim_value for size in value.type.tensor_type.shape.dim) for value in inputs]
    for value, shape in zip(inputs, shapes, strict=True):
        if min(shape, default=1) < 1:
            raise ValueError(f"input {value.name!r} has shape {shape}; static sizes are needed")
    return shapes
