"""What an ONNX graph knows without its input: stored weights, views of them, and computed constants."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import onnx
from onnx import TensorProto

from hwnas.network.folding import FOLDS, MAX_FOLDED, Array, fold, target_shape
from hwnas.network.network import Shape
from hwnas.network.onnx_attributes import plain_array, tensor_array
from hwnas.network.onnx_file import FLOAT_BYTES, check_stored

MAX_FOLDED_IN_ALL = 64 * MAX_FOLDED
PASSED_THROUGH = frozenset({"Identity", "Cast", "CastLike"})
_VIEWS = frozenset({"Transpose", "Reshape", "Unsqueeze", "Squeeze", *PASSED_THROUGH})


class _View(NamedTuple):
    """A weight as another weight, cast, transposed or reshaped."""

    op: str
    attributes: dict[str, Any]
    source: str
    settings: tuple[Array, ...]
    shape: Shape


class Constants:
    """The constants of one graph, by name; the values of large weights are read when they are asked for.

    A stored tensor of several floating-point numbers is a weight, anything else a known constant.
    """

    def __init__(self, graph: onnx.GraphProto) -> None:
        """Raise ValueError where a stored tensor is damaged."""
        self.stored = {tensor.name: tensor for tensor in graph.initializer}
        for tensor in self.stored.values():
            check_stored(tensor)
        self._known: dict[str, Array] = {}
        self._views: dict[str, _View] = {}
        self._folded = 0

    def add(self, name: str, array: Array) -> None:
        """Note a computed constant; raises ValueError where there have been too many."""
        self._folded += array.size
        if self._folded > MAX_FOLDED_IN_ALL:
            raise ValueError(f"the model computes more than {MAX_FOLDED_IN_ALL} constants")
        self._known[name] = array

    def value(self, name: str) -> Array | None:
        """The value of a constant or of a small stored tensor, or None."""
        tensor = self.stored.get(name)
        if name not in self._known and tensor is not None and tensor.data_location != TensorProto.EXTERNAL:
            if np.prod(tensor.dims, dtype=float) > MAX_FOLDED:
                return None
            self.add(name, tensor_array(tensor))
        return self._known.get(name)

    def shape(self, name: str) -> Shape:
        """The shape of a weight or a constant; raises ValueError for an unknown name."""
        if name in self._views:
            return self._views[name].shape
        if name in self.stored:
            return tuple(self.stored[name].dims)
        if name in self._known:
            return tuple(self._known[name].shape)
        raise ValueError(f"it reads {name!r}, which nothing defines")

    def is_weight(self, name: str) -> bool:
        """Whether `name` is a stored tensor of several numbers, or a view of one."""
        if name in self._views:
            return True
        tensor = self.stored.get(name)
        return tensor is not None and _is_float(tensor) and np.prod(tensor.dims, dtype=float) > 1

    def is_computed_zero(self, name: str) -> bool:
        """Whether `name` is a constant of zeros that the graph makes, as exporters write a missing bias."""
        return name in self._known and name not in self.stored and not self._known[name].any()

    def root(self, name: str) -> str:
        """The stored weight that `name` is a view of, or `name`."""
        while name in self._views:
            name = self._views[name].source
        return name

    def array(self, name: str) -> Array:
        """The values of a weight, of a view of one, or of a constant."""
        views = []
        while name in self._views:
            views.append(self._views[name])
            name = self._views[name].source
        array = self._known[name] if name in self._known else tensor_array(self.stored[name])
        for view in reversed(views):
            if view.op not in PASSED_THROUGH:
                array = FOLDS[view.op](view.attributes, [array, *view.settings])
        return array

    def view(self, node: onnx.NodeProto, attributes: dict[str, Any]) -> bool:
        """Note a weight that is moved but not changed; false where the node does something else."""
        if node.op_type not in _VIEWS or not self.is_weight(node.input[0]):
            return False
        require_float(attributes)
        settings = [self.value(name) for name in node.input[1:] if name]
        known = tuple(value for value in settings if value is not None)
        if node.op_type != "CastLike" and len(known) < len(settings):
            return False
        shape = self.shape(node.input[0])
        if node.op_type == "Reshape":
            shape = target_shape(shape, plain_array(known[0], node.input[1]))
        elif node.op_type not in PASSED_THROUGH:
            hollow = np.broadcast_to(np.float32(0), shape)  # takes no memory, whatever the shape
            shape = tuple(FOLDS[node.op_type](attributes, [hollow, *known]).shape)
        self._views[node.output[0]] = _View(node.op_type, attributes, node.input[0], known, shape)
        return True

    def fold(self, node: onnx.NodeProto, attributes: dict[str, Any], batch: int) -> bool:
        """Carry out a computation on known constants; false where the node is not one."""
        names = [name for name in node.input if name]
        if node.op_type not in FOLDS or any(self.is_weight(name) for name in names):
            return False
        known = [value for value in map(self.value, names) if value is not None]
        if len(known) < len(names):
            return False
        if node.op_type == "ConstantOfShape" and _fills_samples(known[0], attributes, batch):
            return False
        self.add(node.output[0], fold(node.op_type, attributes, known))
        return True


def require_float(attributes: dict[str, Any]) -> None:
    """Raise ValueError where a Cast goes to a type that rounds."""
    kind = attributes.get("to", TensorProto.FLOAT)
    if kind not in FLOAT_BYTES:
        raise ValueError(f"a cast to {type_name(kind)} rounds its input")


def type_name(kind: int) -> str:
    """ONNX's name of an element type."""
    names = TensorProto.DataType
    return str(names.Name(kind)) if kind in names.values() else f"type {kind}"


def _is_float(tensor: TensorProto) -> bool:
    return tensor.data_type in FLOAT_BYTES


def _fills_samples(shape: Array, attributes: dict[str, Any], batch: int) -> bool:
    """Whether a filled tensor is a constant activation: floating-point numbers for every sample."""
    fill = np.asarray(attributes.get("value", np.float32(0)))
    return bool(fill.dtype.kind == "f" and shape.size > 1 and shape.ravel()[0] == batch)
