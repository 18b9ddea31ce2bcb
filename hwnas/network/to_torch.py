"""Turn a network into a torch module: a `torch.fx.GraphModule` of ordinary layers.

The module's parameters carry the network's names (`stage3.block1.expand.weight`) and torch's default
initialisation; activations are modules too, so that hooks find them.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, fx, nn

from hwnas.network.network import Layer, Network, Parameter, Shape
from hwnas.network.torch_layers import FUNCTIONS, MODULES


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

    def module(self) -> fx.GraphModule:
        for index, value in enumerate(self.network.inputs):
            self.nodes[value.name] = self.graph.placeholder(f"x{index}" if index else "x")
        for layer in self.network.layers:
            self._translate(layer)
        results = tuple(self.nodes[value.name] for value in self.network.flat_outputs)
        self.graph.output(results[0] if len(results) == 1 else results)
        return fx.GraphModule(self.root, self.graph, class_name="Network")

    def _translate(self, layer: Layer) -> None:
        parameters = [
            self.network.parameters[name] for name in layer.inputs if name in self.network.parameters
        ]
        shapes = [self.network.values[name].shape for name in layer.inputs if name in self.network.values]
        if layer.op in MODULES:
            child = MODULES[layer.op](layer, shapes, [p.shape for p in parameters])
            _add_submodule(self.root, layer.name, child)
            self._share(layer, child)
            values = tuple(self.nodes[name] for name in layer.inputs if name in self.nodes)
            node = self.graph.call_module(layer.name, values)
        elif layer.op == "ConstantOfShape":
            first = self.nodes[self.network.inputs[0].name]
            value = float(str(layer.attributes["value"]))
            node = self.graph.call_function(_filled, (first, layer.output.shape, value))
        elif layer.op in FUNCTIONS:
            function, settings = FUNCTIONS[layer.op](layer, shapes)
            arguments = tuple(self._argument(name, layer) for name in layer.inputs if name)
            node = self.graph.call_function(function, arguments, settings)
        else:
            raise ValueError(f"layer {layer.name}: operator {layer.op} has no counterpart in torch here")
        if len(layer.outputs) == 1:
            self.nodes[layer.output.name] = node
        else:
            for index, value in enumerate(layer.outputs):
                self.nodes[value.name] = self.graph.call_function(_item, (node, index))

    def _argument(self, name: str, layer: Layer) -> fx.Node:
        if name in self.nodes:
            return self.nodes[name]
        parameter = self.network.parameters[name]
        path, _, attribute = parameter.name.rpartition(".")
        _add_submodule(self.root, path, nn.Module())
        holder = self.root.get_submodule(path)
        if not hasattr(holder, attribute):
            _register(holder, attribute, parameter)
        return self.graph.get_attr(parameter.name)

    def _share(self, layer: Layer, child: nn.Module) -> None:
        """Let layers that share a parameter of the network share torch's too, by its first user's name."""
        owned = {f"{layer.name}.{name}" for name, _ in child.named_parameters()}
        own = [name for name in layer.inputs if name in self.network.parameters]
        for name in own:
            if name not in owned and name.rpartition(".")[0] != layer.name:
                path, _, attribute = name.rpartition(".")
                setattr(child, attribute, getattr(self.root.get_submodule(path), attribute))


def _add_submodule(root: nn.Module, path: str, child: nn.Module) -> None:
    """Put `child` at the dotted `path`, making the modules on the way; what is there already stays."""
    for part in path.split(".")[:-1]:
        if part not in root._modules:
            root.add_module(part, nn.Module())
        root = root.get_submodule(part)
    leaf = path.rpartition(".")[2]
    if leaf not in root._modules:
        root.add_module(leaf, child)


def _register(holder: nn.Module, name: str, parameter: Parameter) -> None:
    if parameter.constant is not None:
        holder.register_buffer(name, torch.tensor(parameter.constant).reshape(parameter.shape))
        return
    tensor = torch.zeros(parameter.shape)
    if len(parameter.shape) >= 2:
        nn.init.kaiming_uniform_(tensor, a=math.sqrt(5))
    holder.register_parameter(name, nn.Parameter(tensor, requires_grad=parameter.trainable))


def _filled(like: Tensor, shape: Shape, value: float) -> Tensor:
    return torch.full((like.shape[0], *shape), value, dtype=like.dtype, device=like.device)


def _item(values: tuple[Tensor, ...], index: int) -> Tensor:
    return values[index]
