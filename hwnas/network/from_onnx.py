"""Read an ONNX model as a network.

The file is data that nobody vouches for: weights are not read, external files are not opened, only
small integer computations on shapes are carried out, and sizes are checked before they are believed.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import TensorProto, helper, numpy_helper

from hwnas.network.network import Attribute, Layer, Network, Parameter, Shape, Value
from hwnas.network.operators import OPERATORS, UnknownOperatorError, get_operator, infer_shapes, normalised
from hwnas.network.order import in_topological_order, path_names
from hwnas.network.weights import Weights

MAX_ELEMENTS = 2**31
MAX_FOLDED = 65_536

_FOLDABLE = frozenset(
    {"Shape", "Gather", "Concat", "Unsqueeze", "Squeeze", "Cast", "Slice", "Add", "Sub", "Mul", "Div", "Floor",
     "Reshape", "Identity", "ReduceProd", "Neg", "Equal", "Where", "Size", "Mod", "Sqrt", "Range", "Max", "Min",
     "Expand", "ConstantOfShape"}
)  # fmt: skip
_FLOATS = {TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE}
_PASSED_THROUGH = frozenset({"Identity", "Cast", "CastLike"})


@dataclass(frozen=True)
class Reading:
    """A network read from a model, and what had to be left out of it."""

    network: Network
    excluded: tuple[str, ...]


def from_onnx(model: str | Path | bytes | onnx.ModelProto) -> Network:
    """The network that an ONNX model describes; a free batch dimension is left out.

    Raises:
        UnknownOperatorError: naming every operator outside the vocabulary and its first layer.
        ValueError: not an ONNX model, damaged, cyclic, of dynamic shapes, or absurdly large.
    """
    reading = read_onnx(model, exclude_unknown=False)
    return reading.network


def read_onnx(model: str | Path | bytes | onnx.ModelProto, *, exclude_unknown: bool) -> Reading:
    """As `from_onnx`; with `exclude_unknown`, unknown operators whose output shape the model states
    are left out, and named: what they feed sees their result as an input of the network.
    """
    proto = load_model(model)
    return _Reader(proto.graph, exclude_unknown).read()


def onnx_weights(model: str | Path | bytes | onnx.ModelProto) -> Weights:
    """The values of the parameters of `from_onnx(model)`, by their names there.

    Raises:
        ValueError: as `from_onnx`, or an external data file outside the model's folder.
    """
    proto = load_model(model)
    reader = _Reader(proto.graph, exclude_unknown=True)
    network = reader.read().network
    if isinstance(model, (str, Path)):
        _load_external(proto, Path(model).resolve().parent)
    named = {tensor.name: tensor for tensor in proto.graph.initializer}
    sources = {parameter: source for source, parameter in reader.parameter_names.items()}
    return {
        name: numpy_helper.to_array(named[sources[name]]).astype(np.float32)
        for name in network.parameters
        if name in sources
    }


def load_model(model: str | Path | bytes | onnx.ModelProto) -> onnx.ModelProto:
    """The parsed model, external data left alone; raises ValueError where it cannot be one."""
    if isinstance(model, onnx.ModelProto):
        return model
    name = "the model" if isinstance(model, bytes) else str(model)
    data = model if isinstance(model, bytes) else Path(model).read_bytes()
    proto = onnx.ModelProto()
    try:
        proto.ParseFromString(data)
    except DecodeError as error:
        raise ValueError(f"{name} is not an ONNX model, or is damaged or cut off") from error
    if not proto.graph.node or not proto.graph.output:
        raise ValueError(
            f"{name} is not an ONNX model, or is damaged or cut off: it has no layers or no outputs"
        )
    return proto


def _load_external(proto: onnx.ModelProto, folder: Path) -> None:
    for tensor in proto.graph.initializer:
        if tensor.data_location != TensorProto.EXTERNAL:
            continue
        location = next((entry.value for entry in tensor.external_data if entry.key == "location"), "")
        target = (folder / location).resolve()
        if not target.is_relative_to(folder) or not target.is_file():
            raise ValueError(
                f"tensor {tensor.name!r} refers to {location!r}, which is no file in the model's folder"
            )
    onnx.load_external_data_for_model(proto, str(folder))


class _Reader:
    """Reads one graph: constants are folded, layers get their shapes from our own inference."""

    def __init__(self, graph: onnx.GraphProto, exclude_unknown: bool) -> None:
        self.graph = graph
        self.exclude_unknown = exclude_unknown
        self.initializers = {tensor.name: tensor for tensor in graph.initializer}
        self.constants: dict[str, np.ndarray[Any, Any]] = {}
        self.values: dict[str, Value] = {}
        self.inputs: list[Value] = []
        self.layers: list[Layer] = []
        self.parameters: dict[str, Parameter] = {}
        self.parameter_names: dict[str, str] = {}
        self.excluded: list[str] = []
        self.stated = {info.name: info for info in (*graph.value_info, *graph.output)}
        self.users = Counter(name for node in graph.node for name in node.input)
        names = path_names(
            [*(info.name for info in graph.input), *(n.name or n.output[0] for n in graph.node)]
        )
        self.input_names = dict(zip((info.name for info in graph.input), names, strict=False))
        self.names = names[len(graph.input) :]

    def read(self) -> Reading:
        self._check_operators()
        self._read_inputs()
        for index in in_topological_order(
            [(list(node.input), list(node.output)) for node in self.graph.node]
        ):
            self._read_node(self.graph.node[index], self.names[index])
        outputs = tuple(self._value(info.name, "an output of the model") for info in self.graph.output)
        network = Network(tuple(self.inputs), outputs, tuple(self.layers), self.parameters)
        return Reading(network, tuple(self.excluded))

    def _check_operators(self) -> None:
        known = OPERATORS.keys() | _FOLDABLE | _PASSED_THROUGH | {"Constant"}
        unknown: dict[str, str] = {}
        for node in self.graph.node:
            if node.op_type not in known:
                unknown.setdefault(node.op_type, node.name or node.output[0])
        if unknown and not self.exclude_unknown:
            listed = ", ".join(f"{op} (first in {place!r})" for op, place in sorted(unknown.items()))
            raise UnknownOperatorError(f"operators not known to hwnas: {listed}")

    def _read_inputs(self) -> None:
        for info in self.graph.input:
            if info.name in self.initializers:
                continue
            shape = _stated_shape(info)
            if shape is None:
                raise ValueError(
                    f"input {info.name!r} has a free dimension beside the batch; give it a fixed shape"
                )
            self.inputs.append(self._define(info.name, shape, self.input_names[info.name]))
        if not self.inputs:
            raise ValueError("the model has no inputs")

    def _read_node(self, node: onnx.NodeProto, name: str) -> None:
        if node.op_type == "Constant":
            self._read_constant(node)
        elif self._fold(node):
            pass
        elif node.op_type in _PASSED_THROUGH:
            self._pass_through(node, name)
        elif node.op_type not in OPERATORS:
            self._exclude(node, name)
        else:
            self._read_layer(node, name)

    def _pass_through(self, node: onnx.NodeProto, name: str) -> None:
        """Give the output of an Identity or Cast the meaning of its input."""
        source, output = node.input[0], node.output[0]
        if source in self.constants:
            self.constants[output] = self.constants[source]
        elif source in self.initializers:
            self.initializers[output] = self.initializers[source]
        else:
            self.values[output] = self._value(source, f"an input of layer {name!r}")

    def _read_constant(self, node: onnx.NodeProto) -> None:
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        if "value" in attributes:
            _check_size(attributes["value"].dims, node.output[0])
            self.constants[node.output[0]] = numpy_helper.to_array(attributes["value"])
        else:
            value = next(iter(attributes.values()))
            self.constants[node.output[0]] = np.asarray(value)

    def _constant(self, name: str) -> np.ndarray[Any, Any] | None:
        """The value of a constant or a small stored tensor, or None."""
        if name in self.constants:
            return self.constants[name]
        tensor = self.initializers.get(name)
        if tensor is None or tensor.data_location == TensorProto.EXTERNAL:
            return None
        if math.prod(tensor.dims) > MAX_FOLDED:
            return None
        try:
            self.constants[name] = numpy_helper.to_array(tensor)
        except ValueError as error:
            raise ValueError(f"tensor {name!r} is damaged: {error}") from error
        return self.constants[name]

    def _fold(self, node: onnx.NodeProto) -> bool:
        """Carry out a computation on shapes; false where the node is not one."""
        if node.op_type not in _FOLDABLE:
            return False
        if node.op_type in ("Shape", "Size"):
            self.constants[node.output[0]] = self._folded_shape(node)
            return True
        if node.op_type == "ConstantOfShape" and self.users[node.output[0]] and not self._feeds_shapes(node):
            return False
        if any(name in self.values or self._is_weight(name) for name in node.input if name):
            return False
        found = {name: self._constant(name) for name in node.input if name}
        if any(value is None for value in found.values()):
            return False
        if _folded_size(node, found) > MAX_FOLDED:
            raise ValueError(f"layer {node.name!r}: {node.op_type} gives more than {MAX_FOLDED} constants")
        self.constants[node.output[0]] = _evaluate(node, found)
        return True

    def _folded_shape(self, node: onnx.NodeProto) -> np.ndarray[Any, Any]:
        source = node.input[0]
        if source in self.values:
            shape = np.asarray((1, *self.values[source].shape), dtype=np.int64)
        elif source in self.initializers:
            shape = np.asarray(self.initializers[source].dims, dtype=np.int64)
        elif source in self.constants:
            shape = np.asarray(self.constants[source].shape, dtype=np.int64)
        else:
            raise ValueError(f"layer {node.name!r} reads {source!r}, which nothing defines")
        bounds = {a.name: a.i for a in node.attribute}
        if node.op_type == "Size":
            return np.asarray(shape.prod())
        return shape[bounds.get("start", 0) : bounds.get("end", len(shape))]

    def _feeds_shapes(self, node: onnx.NodeProto) -> bool:
        """Whether a filled constant is an intermediate of a shape computation: integers, that is."""
        value = next((a.t for a in node.attribute if a.name == "value"), None)
        return value is not None and value.data_type not in _FLOATS

    def _is_weight(self, name: str) -> bool:
        tensor = self.initializers.get(name)
        return tensor is not None and tensor.data_type in _FLOATS and math.prod(tensor.dims) > 1

    def _read_layer(self, node: onnx.NodeProto, name: str) -> None:
        operator = get_operator(node.op_type)
        attributes: dict[str, Any] = {a.name: _plain(helper.get_attribute_value(a)) for a in node.attribute}
        for position, attribute in operator.attribute_inputs.items():
            if position < len(node.input) and node.input[position]:
                attributes[attribute] = self._attribute_input(node, position, name)
        if node.op_type == "ConstantOfShape":
            attributes["value"] = _fill_value(attributes.get("value"))
        inputs = [
            self._input(node, position, name)
            for position in range(len(node.input))
            if position not in operator.attribute_inputs
        ]
        while inputs and inputs[-1] is None:
            inputs.pop()
        attributes = _adapted(
            node.op_type, attributes, [i.shape for i in inputs if i is not None], len(node.output)
        )
        shapes = [i.shape for i in inputs if i is not None]
        try:
            full = normalised(node.op_type, attributes, shapes)
            found = infer_shapes(node.op_type, full, shapes)
        except (ValueError, KeyError) as error:
            raise ValueError(f"layer {name!r}: {error}") from error
        outputs = tuple(
            self._define(output, shape, name if len(found) == 1 else f"{name}:{index}")
            for index, (output, shape) in enumerate(zip(node.output, found, strict=False))
        )
        self.layers.append(
            Layer(name, node.op_type, tuple("" if i is None else i.name for i in inputs), outputs, full)
        )

    def _attribute_input(self, node: onnx.NodeProto, position: int, name: str) -> Attribute:
        value = self._constant(node.input[position])
        if value is None:
            raise ValueError(
                f"layer {name!r}: {node.op_type} with a computed {node.input[position]!r} has no static shape"
            )
        return _plain(value)

    def _input(self, node: onnx.NodeProto, position: int, name: str) -> Value | Parameter | None:
        source = node.input[position]
        if not source:
            return None
        if source in self.values:
            return self.values[source]
        return self._parameter(node, position, source, name)

    def _parameter(self, node: onnx.NodeProto, position: int, source: str, name: str) -> Parameter | None:
        if source in self.parameter_names:
            return self.parameters[self.parameter_names[source]]
        slot = get_operator(node.op_type).parameters.get(position, f"parameter{position}")
        full = f"{name}.{slot}"
        if source in self.initializers and (self._is_weight(source) or node.op_type in _ALWAYS_WEIGHTS):
            shape = tuple(int(size) for size in self.initializers[source].dims)
            trainable = slot not in ("running_mean", "running_var")
            parameter = Parameter(full, shape, trainable)
        else:
            value = self._constant(source)
            if value is not None and slot == "bias" and not value.any():
                return None
            if value is None:
                raise ValueError(f"layer {name!r} reads {source!r}, which nothing defines")
            parameter = Parameter(full, value.shape, False, tuple(float(v) for v in value.ravel()))
        _check_size(parameter.shape, source)
        self.parameters[full] = parameter
        self.parameter_names[source] = full
        return parameter

    def _exclude(self, node: onnx.NodeProto, name: str) -> None:
        for index, output in enumerate(node.output):
            shape = _stated_shape(self.stated[output]) if output in self.stated else None
            if shape is None:
                raise UnknownOperatorError(
                    f"layer {name!r}: operator {node.op_type} is not known to hwnas and cannot be left out, "
                    f"since the model does not state the shape of {output!r}"
                )
            self.inputs.append(self._define(output, shape, f"{name}:excluded{index}"))
        self.excluded.append(f"{name} ({node.op_type})")

    def _value(self, name: str, what: str) -> Value:
        if name not in self.values:
            raise ValueError(f"{name!r}, {what}, is not computed from the input")
        return self.values[name]

    def _define(self, source: str, shape: Shape, name: str) -> Value:
        _check_size(shape, source)
        self.values[source] = Value(name, tuple(shape))
        return self.values[source]


_ALWAYS_WEIGHTS = frozenset({"Conv", "ConvTranspose", "Gemm", "BatchNormalization", "PRelu"})


def _check_size(shape: Iterable[int], name: str) -> None:
    sizes = list(shape)
    if any(size < 0 for size in sizes) or math.prod(sizes) > MAX_ELEMENTS:
        raise ValueError(
            f"tensor {name!r} of shape {sizes}: more than {MAX_ELEMENTS} elements, or a negative size"
        )


def _stated_shape(info: onnx.ValueInfoProto) -> Shape | None:
    """The stated shape without the batch, or None where it is not fixed."""
    dims = info.type.tensor_type.shape.dim
    if not dims or any(not dim.HasField("dim_value") or dim.dim_value <= 0 for dim in dims[1:]):
        return None
    return tuple(dim.dim_value for dim in dims[1:])


def _plain(value: Any) -> Any:
    """ONNX attribute values as numbers, strings and tuples."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, TensorProto):
        return _plain(numpy_helper.to_array(value))
    if isinstance(value, np.ndarray):
        return value.item() if value.ndim == 0 else tuple(value.tolist())
    if isinstance(value, (list, tuple)) or (hasattr(value, "__iter__") and not isinstance(value, str)):
        return tuple(_plain(item) for item in value)
    return value


def _fill_value(value: Any) -> float:
    if value is None:
        return 0.0
    return float(value[0] if isinstance(value, tuple) else value)


def _evaluate(
    node: onnx.NodeProto, inputs: Mapping[str, np.ndarray[Any, Any] | None]
) -> np.ndarray[Any, Any]:
    from onnx.reference import ReferenceEvaluator

    graph = helper.make_graph(
        [node],
        "fold",
        [
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape)
            for name, v in inputs.items()
            if v is not None
        ],
        [helper.make_empty_tensor_value_info(node.output[0])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    result: np.ndarray[Any, Any] = np.asarray(ReferenceEvaluator(model).run(None, dict(inputs))[0])
    if result.size > MAX_FOLDED:
        raise ValueError(f"layer {node.name!r} folds to {result.size} elements, more than {MAX_FOLDED}")
    return result


def _folded_size(node: onnx.NodeProto, inputs: Mapping[str, np.ndarray[Any, Any] | None]) -> float:
    """How many elements the operators that can grow their input would give."""
    if node.op_type == "Range":
        start, limit, delta = (float(np.asarray(inputs[name])) for name in node.input)
        return math.inf if delta == 0 else (limit - start) / delta
    if node.op_type in ("Expand", "ConstantOfShape"):
        return math.prod(int(size) for size in np.ravel(inputs[node.input[-1]]))  # type: ignore[arg-type]
    return 0


def _adapted(op: str, attributes: dict[str, Any], shapes: list[Shape], outputs: int) -> dict[str, Any]:
    """Attributes as the vocabulary states them: the batch as 0, axes and parts spelt out."""
    if op in ("Reshape", "Expand", "ConstantOfShape"):
        attributes["shape"] = _with_batch(op, tuple(attributes["shape"]), shapes)
    attributes.pop("allowzero", None)
    if op.startswith("Reduce") and "axes" not in attributes:
        raise ValueError(f"{op} over all axes mixes the batch into the result")
    if op == "Split" and "split" not in attributes:
        attributes.setdefault("num_outputs", outputs)
    if op == "Pad" and "value" in attributes:
        attributes["constant_value"] = attributes.pop("value")
    if op == "Dropout":
        attributes.pop("training_mode", None)
        attributes.pop("seed", None)
    if op == "Resize":
        attributes = {name: value for name, value in attributes.items() if value != ()}
    return attributes


def _with_batch(op: str, target: tuple[int, ...], shapes: list[Shape]) -> tuple[int, ...]:
    """A target shape whose first entry, whatever it is called, stands for the batch and becomes 0."""
    if op == "Reshape" and target and target[0] not in (0, 1, -1):
        raise ValueError(f"a reshape to {list(target)} mixes the batch into other axes")
    if op == "Reshape" and target[:1] == (-1,):
        rest = [shapes[0][i - 1] if size == 0 else size for i, size in enumerate(target) if i > 0]
        if -1 not in rest and math.prod(rest) != math.prod(shapes[0]):
            raise ValueError(f"a reshape to {list(target)} mixes the batch into other axes")
    return (0, *target[1:])
