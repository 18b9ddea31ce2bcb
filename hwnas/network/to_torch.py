"""Turn a network into a torch module: a `torch.fx.GraphModule` of ordinary layers.

The module's parameters carry the network's names (`stage3.block1.expand.weight`) and torch's default
initialisation; activations are modules too, so that hooks find them.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, fx, nn

from hwnas.network.network import Layer, Network, Parameter, Shape
from hwnas.network.operators import get_operator
from hwnas.network.torch_functions import FUNCTIONS
from hwnas.network.torch_layers import MODULES


def to_torch(network: Network) -> fx.GraphModule:
    """A trainable module that computes `network`: `[n, *input] -> [n, *output]`, in train mode.

    Raises:
        ValueError: an operator, or a setting of one, has no counterpart in torch; the message names it.
    """
    return _Translator(network).module()


class _Translator:
    """Builds the module tree and the fx graph of one network."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.root = nn.Module()
        self.graph = fx.Graph()
        self.nodes: dict[str, fx.Node] = {}
        self.tensors: dict[str, Tensor] = {}

    def module(self) -> fx.GraphModule:
        for index, value in enumerate(self.network.inputs):
            self.nodes[value.name] = self.graph.placeholder(f"x{index}" if index else "x")
        for layer in self.network.layers:
            node = self._module_call(layer) if layer.op in MODULES else self._function_call(layer)
            if len(layer.outputs) == 1:
                self.nodes[layer.output.name] = node
            else:
                for index, value in enumerate(layer.outputs):
                    self.nodes[value.name] = self.graph.call_function(_item, (node, index))
        self._place_parameters(self.root)
        results = tuple(self.nodes[value.name] for value in self.network.flat_outputs)
        self.graph.output(results[0] if len(results) == 1 else results)
        module = fx.GraphModule(self.root, self.graph, class_name="Network")
        self._place_parameters(module)  # fx copies what the graph names, and no more
        return module

    def _value_shapes(self, layer: Layer) -> list[Shape]:
        return [self.network.values[name].shape for name in layer.inputs if name in self.nodes]

    def _module_call(self, layer: Layer) -> fx.Node:
        names = [name for name in layer.inputs if name in self.network.parameters]
        shapes = [self.network.parameters[name].shape for name in names]
        child = MODULES[layer.op](layer, self._value_shapes(layer), shapes)
        _add_submodule(self.root, layer.name, child)
        slots = get_operator(layer.op).parameters
        for position, name in enumerate(layer.inputs):
            if name in self.network.parameters:
                self._bind(child, slots[position], self.network.parameters[name])
        values = tuple(self.nodes[name] for name in layer.inputs if name in self.nodes)
        return self.graph.call_module(layer.name, values)

    def _bind(self, child: nn.Module, slot: str, parameter: Parameter) -> None:
        """Let `child` use the tensor of `parameter`: its own at the first use, the shared one later."""
        known = self.tensors.get(parameter.name)
        if known is None and parameter.constant is None:
            own: Tensor = getattr(child, slot)
            if isinstance(own, nn.Parameter):
                own.requires_grad_(parameter.trainable)
            self.tensors[parameter.name] = own
            return
        tensor = _tensor(parameter) if known is None else known
        self.tensors[parameter.name] = tensor
        delattr(child, slot)
        _register(child, slot, tensor)

    def _function_call(self, layer: Layer) -> fx.Node:
        if layer.op == "ConstantOfShape":
            first = self.nodes[self.network.inputs[0].name]
            value = float(str(layer.attributes["value"]))
            return self.graph.call_function(_filled, (first, layer.output.shape, value))
        if layer.op not in FUNCTIONS:
            raise ValueError(f"layer {layer.name}: operator {layer.op} has no counterpart in torch here")
        function, settings = FUNCTIONS[layer.op](layer, self._value_shapes(layer))
        arguments = tuple(self._argument(name) for name in layer.inputs if name)
        return self.graph.call_function(function, arguments, settings)

    def _argument(self, name: str) -> fx.Node:
        if name in self.nodes:
            return self.nodes[name]
        if name not in self.tensors:
            self.tensors[name] = _tensor(self.network.parameters[name])
        return self.graph.get_attr(name)

    def _place_parameters(self, root: nn.Module) -> None:
        """Put every parameter under the network's name for it, where no layer has it there already."""
        for name, parameter in self.network.parameters.items():
            path, _, attribute = name.rpartition(".")
            if path:
                _add_submodule(root, path, nn.Module())
            holder = root.get_submodule(path)
            if not hasattr(holder, attribute):
                if name not in self.tensors:
                    self.tensors[name] = _tensor(parameter)
                _register(holder, attribute, self.tensors[name])


def _add_submodule(root: nn.Module, path: str, child: nn.Module) -> None:
    """Put `child` at the dotted `path`, making the modules on the way; what is there already stays."""
    *parents, leaf = path.split(".")
    for part in parents:
        if part not in root._modules:
            root.add_module(part, nn.Module())
        root = root.get_submodule(part)
    if leaf not in root._modules:
        root.add_module(leaf, child)


def _register(holder: nn.Module, name: str, tensor: Tensor) -> None:
    if isinstance(tensor, nn.Parameter):
        holder.register_parameter(name, tensor)
    else:
        holder.register_buffer(name, tensor)


def _tensor(parameter: Parameter) -> Tensor:
    """A constant as it is; any other parameter as torch initialises a weight, or 0 for vectors."""
    if parameter.constant is not None:
        return torch.tensor(parameter.constant).reshape(parameter.shape)
    tensor = torch.zeros(parameter.shape)
    if len(parameter.shape) >= 2:
        nn.init.kaiming_uniform_(tensor, a=math.sqrt(5))
    return nn.Parameter(tensor, requires_grad=parameter.trainable)


def _filled(like: Tensor, shape: Shape, value: float) -> Tensor:
    return torch.full((like.shape[0], *shape), value, dtype=like.dtype, device=like.device)


def _item(values: tuple[Tensor, ...], index: int) -> Tensor:
    return values[index]
