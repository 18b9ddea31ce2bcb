"""Write a network as an ONNX model, directly: no tracing, no torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from hwnas.files import write_whole
from hwnas.network.network import Layer, Network, Value
from hwnas.network.operators import get_operator
from hwnas.network.weights import Weights, module_weights, random_weights

OPSET = 21
IR_VERSION = 10
_FREE = "batch"

_FLOAT_INPUTS = frozenset({"min", "max", "constant_value", "ratio", "scales"})


def to_onnx(
    network: Network,
    path: str | Path | None = None,
    *,
    weights: Weights | Any | None = None,
    batch: int | None = 1,
    seed: int = 0,
) -> onnx.ModelProto:
    """The ONNX model of `network` in float32, opset 21; written to `path` where one is given.

    Args:
        network: what to write.
        path: file to write, replaced as a whole or not at all.
        weights: arrays by parameter name, or the torch module that `to_torch` made; random by default.
        batch: the fixed batch size, or None for a free one.
        seed: for the random weights.

    Raises:
        ValueError: the weights do not fit the network.
    """
    if weights is None:
        weights = random_weights(network, seed)
    elif hasattr(weights, "state_dict"):
        weights = module_weights(network, weights)
    writer = _Writer(network, batch)
    model = writer.model(weights)
    if path is not None:
        write_whole(Path(path), model.SerializeToString())
    return model


class _Writer:
    """Collects the nodes and initialisers of one model."""

    def __init__(self, network: Network, batch: int | None) -> None:
        self.network = network
        self.batch = batch
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []

    def model(self, weights: Weights) -> onnx.ModelProto:
        for name, parameter in self.network.parameters.items():
            if name not in weights:
                raise ValueError(f"no weights for parameter {name!r}")
            if tuple(weights[name].shape) != parameter.shape:
                raise ValueError(
                    f"weights of {name!r} have shape {weights[name].shape}, {parameter.shape} expected"
                )
            tensor = numpy_helper.from_array(np.asarray(weights[name], dtype=np.float32, order="C"), name)
            if parameter.constant is None:
                self.initializers.append(tensor)
            else:
                self.nodes.append(helper.make_node("Constant", [], [name], value=tensor))
        for layer in self.network.layers:
            self._add_layer(layer)
        outputs = self._named_outputs()
        graph = helper.make_graph(
            self.nodes,
            "hwnas",
            [self._info(value) for value in self.network.inputs],
            [self._info(value) for value in outputs],
            self.initializers,
        )
        return helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="hwnas",
        )

    def _named_outputs(self) -> list[Value]:
        """The outputs; an input or a value given out twice goes through an Identity, as ONNX requires."""
        outputs: list[Value] = []
        taken = {value.name for value in self.network.inputs}
        for value in self.network.flat_outputs:
            name = value.name
            if name in taken:
                name = f"{value.name}:out{len(outputs)}"
                self.nodes.append(helper.make_node("Identity", [value.name], [name]))
            taken.add(name)
            outputs.append(Value(name, value.shape))
        return outputs

    def _info(self, value: Value) -> onnx.ValueInfoProto:
        first: str | int = _FREE if self.batch is None else self.batch
        return helper.make_tensor_value_info(value.name, TensorProto.FLOAT, [first, *value.shape])

    def _add_layer(self, layer: Layer) -> None:
        if layer.op == "ConstantOfShape":
            self._add_zeros(layer)
            return
        operator = get_operator(layer.op)
        inputs = list(layer.inputs)
        attributes: dict[str, Any] = {
            name: value
            for name, value in layer.attributes.items()
            if name not in operator.attribute_inputs.values()
        }
        for position, name in sorted(operator.attribute_inputs.items()):
            if name in layer.attributes:
                inputs += [""] * (position - len(inputs))
                inputs.append(self._constant(layer, name))
        if layer.op == "Resize" and "sizes" in layer.attributes:
            attributes["axes"] = tuple(range(1, len(layer.output.shape) + 1))
        self.nodes.append(
            helper.make_node(
                layer.op, inputs, [value.name for value in layer.outputs], name=layer.name, **attributes
            )
        )

    def _constant(self, layer: Layer, name: str) -> str:
        value = layer.attributes[name]
        if (layer.op, name) == ("Expand", "shape"):
            assert isinstance(value, tuple)
            value = (1, *value[1:])
        if (layer.op, name) == ("Resize", "sizes"):
            assert isinstance(value, tuple)
            value = value[1:]
        array = np.asarray(value, dtype=np.float32 if name in _FLOAT_INPUTS else np.int64)
        return self._initializer(f"{layer.name}:{name}", array)

    def _initializer(self, name: str, array: np.ndarray[Any, Any]) -> str:
        self.initializers.append(numpy_helper.from_array(array, name))
        return name

    def _add_zeros(self, layer: Layer) -> None:
        """A constant of the input's batch size; with a free batch it is read off the input's shape."""
        output = layer.output
        value = helper.make_tensor("value", TensorProto.FLOAT, [1], [float(str(layer.attributes["value"]))])
        if self.batch is not None:
            shape = self._initializer(f"{layer.name}:shape", _int64([self.batch, *output.shape]))
        else:
            batch, shape = f"{layer.name}:batch", f"{layer.name}:shape"
            inner = self._initializer(f"{layer.name}:inner", _int64(output.shape))
            self.nodes.append(
                helper.make_node("Shape", [self.network.inputs[0].name], [batch], start=0, end=1)
            )
            self.nodes.append(helper.make_node("Concat", [batch, inner], [shape], axis=0))
        self.nodes.append(
            helper.make_node("ConstantOfShape", [shape], [output.name], name=layer.name, value=value)
        )


def _int64(values: Sequence[int]) -> np.ndarray[Any, Any]:
    return np.asarray(values, dtype=np.int64)
