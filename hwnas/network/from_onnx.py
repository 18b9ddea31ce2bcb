"""Read an ONNX model as a network.

The file is data that nobody vouches for (see `onnx_file`): weights are not read, only small computations
on shapes are carried out (see `folding`), and shapes come from our own inference.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper

from hwnas.network.folding import FOLDS, Array
from hwnas.network.network import Layer, Network, Parameter, Shape, Value
from hwnas.network.onnx_attributes import adapted, plain_array, plain_attributes
from hwnas.network.onnx_constants import PASSED_THROUGH, Constants, require_float, type_name
from hwnas.network.onnx_file import (
    FLOAT_BYTES,
    NodeCheck,
    check_names,
    check_size,
    is_standard,
    load_external,
    load_model,
    opset,
    stated_shape,
)
from hwnas.network.operators import (
    OPERATORS,
    UnknownOperatorError,
    get_operator,
    infer_shapes,
    input_shapes,
    normalised,
)
from hwnas.network.order import in_topological_order, path_names
from hwnas.network.weights import Weights

_OPTIONAL_BIAS = frozenset({"Conv", "ConvTranspose", "Gemm", "LayerNormalization"})
_READ_OTHERWISE = frozenset(
    {"Constant", "Shape", "Size", "SplitToSequence", "SequenceAt", *FOLDS, *PASSED_THROUGH}
)


@dataclass(frozen=True)
class Reading:
    """A network read from a model, and what had to be left out of it."""

    network: Network
    excluded: tuple[str, ...]


def from_onnx(model: str | Path | bytes | onnx.ModelProto) -> Network:
    """The network that an ONNX model describes; the batch dimension is left out.

    Raises:
        UnknownOperatorError: naming every operator outside the vocabulary and its first layer.
        ValueError: not an ONNX model, damaged, cyclic, of dynamic shapes, absurdly large, with inputs
            that are no floating-point numbers, or mixing the batch into other axes.
        OSError: there is no such file.
    """
    return read_onnx(model, exclude_unknown=False).network


def read_onnx(model: str | Path | bytes | onnx.ModelProto, *, exclude_unknown: bool) -> Reading:
    """As `from_onnx`; with `exclude_unknown`, without the operators that are not known.

    Those whose output shape the model states are left out, and named: what they feed sees their result
    as an input of the network, and inputs of integers that only they read are no inputs of it.
    """
    return _Reader(load_model(model), exclude_unknown).read()


def onnx_weights(model: str | Path | bytes | onnx.ModelProto) -> Weights:
    """The values of the parameters of `from_onnx(model)`, by their names there.

    Raises:
        ValueError: as `from_onnx`, or an external data file outside the model's folder.
    """
    proto = load_model(model)
    reader = _Reader(proto, exclude_unknown=True)
    network = reader.read().network
    if isinstance(model, (str, Path)):
        load_external(proto, Path(model).resolve().parent)
    return {
        reader.parameter_names[source]: reader.constants.array(source)
        .astype(np.float32)
        .reshape(network.parameters[reader.parameter_names[source]].shape)
        for source in reader.parameter_names
    }


class _Reader:
    """Reads one graph, node by node in topological order.

    A name in the graph is a value (of an input or a layer), a sequence of them, or one of the `constants`.
    """

    def __init__(self, proto: onnx.ModelProto, exclude_unknown: bool) -> None:
        graph = proto.graph
        self.graph, self.opset, self.exclude_unknown = graph, opset(proto), exclude_unknown
        self.check_node = NodeCheck(proto)
        self.constants = Constants(graph)
        self.values: dict[str, Value] = {}
        self.inputs: list[Value] = []
        self.layers: list[Layer] = []
        self.parameters: dict[str, Parameter] = {}
        self.parameter_names: dict[str, str] = {}
        self.sequences: dict[str, list[Value]] = {}
        self.forms: dict[str, str] = {}
        self.excluded: list[str] = []
        self.integers: set[str] = set()
        self.batch = 1
        self.stated = {info.name: info for info in (*graph.value_info, *graph.output)}
        self.users = Counter(name for node in graph.node for name in node.input)
        self.users.update(info.name for info in graph.output)
        self.names = path_names(
            [*(info.name for info in graph.input), *(_described(node) for node in graph.node)]
        )
        self.taken = set(self.names)

    def read(self) -> Reading:
        self._check_operators()
        check_names(self.graph)
        self._read_inputs()
        nodes = [(list(node.input), list(node.output)) for node in self.graph.node]
        for index in in_topological_order(nodes):
            self._read_node(self.graph.node[index], self.names[len(self.graph.input) + index])
        outputs = tuple(self._value(info.name, "an output of the model") for info in self.graph.output)
        read = {name for layer in self.layers for name in layer.inputs} | {value.name for value in outputs}
        inputs = tuple(
            value for value in self.inputs if value.name in read or value.name not in self.integers
        )
        network = Network(inputs, outputs, tuple(self.layers), self.parameters)
        return Reading(network, tuple(self.excluded))

    def _check_operators(self) -> None:
        unknown: dict[str, str] = {}
        for node in self.graph.node:
            if not _is_known(node):
                unknown.setdefault(_operator_name(node), _described(node))
        if unknown and not self.exclude_unknown:
            listed = ", ".join(f"{op} (first in {place!r})" for op, place in sorted(unknown.items()))
            raise UnknownOperatorError(f"operators not known to hwnas: {listed}")

    def _read_inputs(self) -> None:
        fixed: set[int] = set()
        for info, name in zip(self.graph.input, self.names, strict=False):
            if info.name in self.constants.stored:
                continue
            shape, kind = stated_shape(info), info.type.tensor_type.elem_type
            if shape is None:
                raise ValueError(
                    f"input {info.name!r} has a free dimension beside the batch, or none at all; "
                    "give it a fixed shape"
                )
            if kind not in FLOAT_BYTES and not self.exclude_unknown:
                held = type_name(kind)
                raise ValueError(f"input {info.name!r} holds {held}; only floating-point inputs are read")
            if kind not in FLOAT_BYTES:
                self.integers.add(name)
            first = info.type.tensor_type.shape.dim[0]
            if first.HasField("dim_value"):
                fixed.add(first.dim_value)
            self.inputs.append(self._define(info.name, shape, name))
        if not self.inputs:
            raise ValueError("the model has no inputs")
        if len(fixed) > 1 or min(fixed, default=1) < 1:
            raise ValueError(f"the inputs have batches of {sorted(fixed)}; one positive size expected")
        self.batch = max(fixed, default=1)

    def _read_node(self, node: onnx.NodeProto, name: str) -> None:
        if not _is_known(node):
            self._exclude(node, name)
            return
        self.check_node(node, name)
        try:
            self._read_known(node, name)
        except UnknownOperatorError:
            raise
        except (ValueError, KeyError) as error:
            raise ValueError(f"layer {name!r}: {error}") from error

    def _read_known(self, node: onnx.NodeProto, name: str) -> None:
        attributes = plain_attributes(node)
        if node.op_type == "Constant":
            self.constants.add(node.output[0], np.asarray(next(iter(attributes.values()))))
        elif node.op_type in ("Shape", "Size"):
            self.constants.add(node.output[0], self._shape_of(node, attributes))
        elif self.constants.view(node, attributes) or self._fold(node, attributes):
            pass
        elif node.op_type in PASSED_THROUGH:
            self._pass_through(node, attributes)
        elif node.op_type in OPERATORS:
            self._read_layer(node, name, attributes)
        elif node.op_type == "SplitToSequence":
            self._read_split(node, name, attributes)
        elif node.op_type == "SequenceAt":
            self._pick(node)
        elif self.exclude_unknown:
            self._exclude(node, name)
        else:
            raise UnknownOperatorError(
                f"layer {name!r}: operator {node.op_type} is known on constants only, not on activations"
            )

    def _read_split(self, node: onnx.NodeProto, name: str, attributes: dict[str, Any]) -> None:
        """A split into a sequence, which `_pick` takes apart again: torch's `chunk`."""
        axis = attributes.get("axis", 0)
        sizes = self.constants.value(node.input[1]) if len(node.input) > 1 else None
        if sizes is None:
            raise ValueError("it has no static parts")
        value = self._value(node.input[0], "its input")
        total, parts = value.shape[axis - 1 if axis > 0 else axis], sizes.ravel().tolist()
        if sizes.ndim == 0 and 0 < parts[0] <= total:
            parts = [min(parts[0], total - start) for start in range(0, total, parts[0])]
        names = [f"{node.output[0]}:{index}" for index in range(len(parts))]
        self._read_layer(
            helper.make_node("Split", [node.input[0]], names), name, {"axis": axis, "split": tuple(parts)}
        )
        self.sequences[node.output[0]] = [self.values[part] for part in names]

    def _pick(self, node: onnx.NodeProto) -> None:
        sequence, position = self.sequences.get(node.input[0]), self.constants.value(node.input[1])
        if sequence is None or position is None or not -len(sequence) <= int(position) < len(sequence):
            raise ValueError(f"it picks no known part of {node.input[0]!r}")
        self.values[node.output[0]] = sequence[int(position)]

    def _pass_through(self, node: onnx.NodeProto, attributes: dict[str, Any]) -> None:
        """Give the output of an Identity or Cast the meaning of its input."""
        require_float(attributes)
        constant = self.constants.value(node.input[0])
        if constant is not None:
            self.constants.add(node.output[0], constant)
            return
        self.values[node.output[0]] = self._value(node.input[0], f"the input of a {node.op_type}")

    def _shape_of(self, node: onnx.NodeProto, attributes: dict[str, Any]) -> Array:
        source = node.input[0]
        if source in self.values:
            shape = (self.batch, *self.values[source].shape)
        else:
            shape = self.constants.shape(source)
        if node.op_type == "Size":
            return np.asarray(np.prod(shape, dtype=np.float64)).astype(np.int64)
        return np.asarray(shape[attributes.get("start", 0) : attributes.get("end", len(shape))], np.int64)

    def _fold(self, node: onnx.NodeProto, attributes: dict[str, Any]) -> bool:
        if any(name in self.values for name in node.input):
            return False
        return self.constants.fold(node, attributes, self.batch)

    def _read_layer(self, node: onnx.NodeProto, name: str, attributes: dict[str, Any]) -> None:
        op, known = node.op_type, get_operator(node.op_type)
        of_attributes = {1: "scales"} if op == "Resize" and self.opset < 11 else known.attribute_inputs
        for position, attribute in of_attributes.items():
            if position < len(node.input) and node.input[position]:
                attributes[attribute] = self._attribute_input(node.input[position])
        inputs = [
            self._input(node, position, name) if node.input[position] else None
            for position in range(len(node.input))
            if position not in of_attributes and not (op == "Resize" and position == 1)
        ]
        while inputs and inputs[-1] is None:
            inputs.pop()
        shapes = input_shapes(inputs)
        attributes = adapted(
            op, attributes, shapes, outputs=len(node.output), batch=self.batch, opset=self.opset
        )
        full = normalised(op, attributes, shapes)
        found = infer_shapes(op, full, shapes)
        outputs = tuple(
            self._define(output, shape, name if len(found) == 1 else f"{name}:{index}")
            for index, (output, shape) in enumerate(zip(node.output, found, strict=False))
        )
        self.layers.append(Layer(name, op, tuple("" if i is None else i.name for i in inputs), outputs, full))

    def _attribute_input(self, source: str) -> Any:
        value = self.constants.value(source)
        if value is None:
            raise ValueError(f"{source!r} is computed from the input, or defined nowhere: no static shape")
        return plain_array(value, source)

    def _input(self, node: onnx.NodeProto, position: int, name: str) -> Value | Parameter | None:
        source = node.input[position]
        if source in self.values:
            return self.values[source]
        if source not in self.parameter_names:
            slots = get_operator(node.op_type).parameters
            if (
                slots.get(position) == "bias"
                and node.op_type in _OPTIONAL_BIAS
                and self.constants.is_computed_zero(source)
            ):
                return None
            self._add_parameter(source, name, slots.get(position), always=0 not in slots)
        return self.parameters[self.parameter_names[source]]

    def _add_parameter(self, source: str, layer: str, slot: str | None, *, always: bool) -> None:
        """Note a parameter of `layer`; `always` where even a single stored number is a weight."""
        if slot is None:
            raise ValueError(
                f"it reads {source!r}, which is a constant or nowhere defined, not an activation"
            )
        shape = self.constants.shape(source)
        if slot == "bias" and len(shape) == 2 and shape[0] == 1:
            shape = shape[1:]
        name = self._free_name(f"{layer}.{slot}")
        check_size(shape, source)
        if self.constants.is_weight(source) or (source in self.constants.stored and always):
            self._check_one_form(source)
            trainable = slot not in ("running_mean", "running_var")
            self.parameters[name] = Parameter(name, shape, trainable)
        else:
            value = self.constants.value(source)
            if value is None:
                raise ValueError(f"{source!r} is too large to be a constant")
            constant = tuple(float(v) for v in value.ravel())
            self.parameters[name] = Parameter(name, shape, False, constant)
        self.parameter_names[source] = name

    def _check_one_form(self, source: str) -> None:
        root = self.constants.root(source)
        if self.forms.setdefault(root, source) != source:
            raise ValueError(f"weight {root!r} is shared in two different forms")

    def _free_name(self, name: str) -> str:
        free, count = name, 1
        while free in self.taken:
            free, count = f"{name}_{count}", count + 1
        self.taken.add(free)
        return free

    def _exclude(self, node: onnx.NodeProto, name: str) -> None:
        for index, output in enumerate(node.output):
            if not self.users[output]:
                continue
            shape = stated_shape(self.stated[output]) if output in self.stated else None
            if shape is None:
                raise UnknownOperatorError(
                    f"layer {name!r}: operator {_operator_name(node)} is not known to hwnas and cannot be "
                    f"left out, since the model does not state the shape of {output!r}"
                )
            self.inputs.append(self._define(output, shape, f"{name}:excluded{index}"))
        self.excluded.append(f"{name} ({_operator_name(node)})")

    def _value(self, name: str, what: str) -> Value:
        if name not in self.values:
            raise ValueError(f"{name!r}, {what}, is not computed from the input")
        return self.values[name]

    def _define(self, source: str, shape: Shape, name: str) -> Value:
        check_size(shape, source)
        self.values[source] = Value(name, tuple(shape))
        return self.values[source]


def _is_known(node: onnx.NodeProto) -> bool:
    return is_standard(node.domain) and (node.op_type in OPERATORS or node.op_type in _READ_OTHERWISE)


def _operator_name(node: onnx.NodeProto) -> str:
    return node.op_type if is_standard(node.domain) else f"{node.domain}.{node.op_type}"


def _described(node: onnx.NodeProto) -> str:
    return node.name or next(iter(node.output), "") or node.op_type
