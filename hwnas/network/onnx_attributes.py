"""ONNX's attributes of many opsets, as the vocabulary states them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from hwnas.network.network import Shape

MAX_LENGTH = 4096
_UNBOUNDED = 3.4e38


def plain_attributes(node: onnx.NodeProto) -> dict[str, Any]:
    """The attributes of a node as numbers, strings and tuples; tensors as NumPy arrays.

    Raises:
        ValueError: one of them is damaged or absurdly long.
    """
    return {a.name: _plain(helper.get_attribute_value(a), a.name) for a in node.attribute}


def plain_array(array: np.ndarray[Any, Any], name: str) -> Any:
    """An array as a number or a flat tuple of them; raises ValueError where it is absurdly long."""
    if array.size > MAX_LENGTH:
        raise ValueError(f"{name!r} has {array.size} entries, more than {MAX_LENGTH}")
    return array.item() if array.ndim == 0 else tuple(array.ravel().tolist())


def tensor_array(tensor: TensorProto) -> np.ndarray[Any, Any]:
    """The values of a stored tensor; raises ValueError where they do not fit its shape or type."""
    try:
        return np.asarray(numpy_helper.to_array(tensor))
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise ValueError(f"tensor {tensor.name!r} is damaged: {error}") from error


def _plain(value: Any, name: str) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, TensorProto):
        return tensor_array(value)
    if isinstance(value, float):
        return _shortest(value)
    if isinstance(value, (int, str)):
        return value
    if isinstance(value, (onnx.GraphProto, onnx.SparseTensorProto, onnx.TypeProto)):
        raise ValueError(f"attribute {name!r} is no number, text or tensor")
    values = list(value)
    if len(values) > MAX_LENGTH:
        raise ValueError(f"attribute {name!r} has {len(values)} entries, more than {MAX_LENGTH}")
    return tuple(_plain(item, name) for item in values)


def _shortest(value: float) -> float:
    """The shortest decimal of a 32-bit number: 1e-05, where widening it gives 9.999999747378752e-06."""
    return float(str(np.float32(value)))


def adapted(
    op: str, given: dict[str, Any], shapes: Sequence[Shape], *, outputs: int, batch: int, opset: int
) -> dict[str, Any]:
    """`given` as the vocabulary has them: the batch as 0, older opsets' defaults spelt out.

    Args:
        op: the operator.
        given: ONNX's attributes, and the inputs that are attributes here.
        shapes: of the inputs, without the batch.
        outputs: how many outputs the layer has.
        batch: the batch size that the model was written for.
        opset: the version of ONNX's operators.

    Raises:
        ValueError: the layer would mix the batch into other axes, or is of a kind that is not read.
    """
    attributes = dict(given)
    if op in ("Reshape", "ConstantOfShape"):
        attributes["shape"] = _with_batch(op, attributes, shapes, batch)
    elif op == "Expand":
        attributes["shape"] = _expanded(tuple(attributes["shape"]), shapes[0], batch)
    elif op.startswith("Reduce"):
        if attributes.pop("noop_with_empty_axes", 0) or "axes" not in attributes:
            raise ValueError("a reduction over all axes mixes the batch into the result")
    elif op == "Squeeze" and "axes" not in attributes:
        raise ValueError("a Squeeze of all axes of size 1 may remove the batch")
    elif op == "Split" and "split" not in attributes:
        if attributes.setdefault("num_outputs", outputs) != outputs:
            raise ValueError(f"{outputs} outputs, but num_outputs is {attributes['num_outputs']}")
    elif op == "Dropout":
        attributes = {"ratio": attributes.get("ratio", 0.5)}
    elif op == "Resize":
        _adapt_resize(attributes, batch, opset)
    elif op in ("Softmax", "LogSoftmax") and opset < 13:
        _adapt_old_softmax(attributes, shapes[0])
    elif op == "Clip":
        _adapt_clip(attributes)
    elif op == "Pad" and "value" in attributes:
        attributes["constant_value"] = attributes.pop("value")
    elif op == "MaxPool":
        attributes.pop("storage_order", None)
    return attributes


def _with_batch(op: str, attributes: dict[str, Any], shapes: Sequence[Shape], batch: int) -> tuple[int, ...]:
    """A target shape whose first entry, whatever it is called, stands for the batch and becomes 0."""
    target = tuple(attributes.pop("shape"))
    if op == "ConstantOfShape":
        attributes["value"] = float(np.asarray(attributes.get("value", 0.0)).ravel()[0])
        kept = target[:1] == (batch,)
    else:
        kept = target[:1] in ((batch,), (-1,)) or (target[:1] == (0,) and not attributes.get("allowzero"))
        attributes.pop("allowzero", None)
    if not kept:
        raise ValueError(f"a shape of {list(target)} mixes the batch into other axes")
    return (0, *target[1:])


def _expanded(target: tuple[int, ...], shape: Shape, batch: int) -> tuple[int, ...]:
    rank = len(shape) + 1
    if len(target) < rank:
        return (0, *(1,) * (rank - 1 - len(target)), *target)
    if len(target) > rank or target[0] not in (1, batch):
        raise ValueError(f"an expansion to {list(target)} mixes the batch into other axes")
    return (0, *target[1:])


def _adapt_resize(attributes: dict[str, Any], batch: int, opset: int) -> None:
    for name in ("scales", "sizes"):
        if attributes.get(name) == ():
            del attributes[name]
    if opset < 11:
        attributes |= {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    sizes = attributes.get("sizes")
    if sizes and "axes" not in attributes:
        if sizes[0] != batch:
            raise ValueError("the batch cannot be resized")
        attributes["sizes"] = (0, *sizes[1:])
    if attributes.get("mode") == "linear" or attributes.get("mode") == "cubic":
        attributes["nearest_mode"] = "round_prefer_floor"


def _adapt_old_softmax(attributes: dict[str, Any], shape: Shape) -> None:
    """Before opset 13, a softmax ran over all axes from `axis` (1) on."""
    axis = attributes.setdefault("axis", 1)
    if axis % (len(shape) + 1) != len(shape):
        raise ValueError("a softmax of opset 12 or older over several axes")


def _adapt_clip(attributes: dict[str, Any]) -> None:
    for name in ("min", "max"):
        if name in attributes:
            bound = float(np.asarray(attributes.pop(name)).ravel()[0])
            if abs(bound) < _UNBOUNDED:
                attributes[name] = bound
