"""Open an ONNX file as data that nobody vouches for: nothing it states is believed unchecked.

External files are opened for weights only, and only inside the model's folder; nodes must fit ONNX's own
schema; sizes must fit the data that is there.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import TensorProto, checker
from onnx.external_data_helper import load_external_data_for_tensor

from hwnas.network.network import Shape

MAX_ELEMENTS = 2**31
MAX_RANK = 32
MAX_BYTES = 2**31
OLDEST_OPSET = 9

FLOAT_BYTES: dict[int, int] = {
    TensorProto.FLOAT: 4,
    TensorProto.FLOAT16: 2,
    TensorProto.BFLOAT16: 2,
    TensorProto.DOUBLE: 8,
}


def load_model(model: str | Path | bytes | onnx.ModelProto) -> onnx.ModelProto:
    """The parsed model, external data left alone.

    Raises:
        ValueError: it is no ONNX model, damaged, cut off, or of an opset before `OLDEST_OPSET`.
        OSError: there is no such file.
    """
    if isinstance(model, onnx.ModelProto):
        proto, name = model, "the model"
    elif isinstance(model, bytes):
        proto, name = _parsed(model, "the model"), "the model"
    else:
        if Path(model).stat().st_size > MAX_BYTES:
            raise ValueError(f"{model} is larger than the 2 GiB that an ONNX file can be")
        proto, name = _parsed(Path(model).read_bytes(), str(model)), str(model)
    if not proto.graph.node or not proto.graph.output or not proto.opset_import:
        raise ValueError(
            f"{name} is not an ONNX model, or is damaged or cut off: it lacks layers, outputs or an opset"
        )
    if not all(isinstance(text, str) for text in _texts(proto)):
        raise ValueError(f"{name} is not an ONNX model, or is damaged: it has names that are no text")
    if opset(proto) < OLDEST_OPSET:
        raise ValueError(f"{name} is of ONNX opset {opset(proto)}; the oldest that is read is {OLDEST_OPSET}")
    return proto


def _parsed(data: bytes, name: str) -> onnx.ModelProto:
    proto = onnx.ModelProto()
    try:
        proto.ParseFromString(data)
    except DecodeError as error:
        raise ValueError(f"{name} is not an ONNX model, or is damaged or cut off") from error
    return proto


def _texts(proto: onnx.ModelProto) -> Iterator[object]:
    """All names in the graph; protobuf gives bytes for those that are not UTF-8."""
    graph = proto.graph
    for node in graph.node:
        yield from (node.name, node.op_type, node.domain, *node.input, *node.output)
        yield from (attribute.name for attribute in node.attribute)
    for named in (graph.input, graph.output, graph.value_info, graph.initializer):
        yield from (item.name for item in named)
    yield from (entry.domain for entry in proto.opset_import)


def opset(proto: onnx.ModelProto) -> int:
    """Version of ONNX's own operators, 0 where it is not stated."""
    return max((int(entry.version) for entry in proto.opset_import if is_standard(entry.domain)), default=0)


def is_standard(domain: str) -> bool:
    """Whether `domain` holds ONNX's own operators."""
    return domain in ("", "ai.onnx")


class NodeCheck:
    """ONNX's own check of single nodes: number of inputs, required attributes and their types."""

    def __init__(self, proto: onnx.ModelProto) -> None:
        self._context = checker.C.CheckerContext()
        self._context.ir_version = max(int(proto.ir_version), 3)
        self._context.opset_imports = {"": opset(proto)}

    def __call__(self, node: onnx.NodeProto, name: str) -> None:
        """Raise ValueError unless `node` fits its schema."""
        for attribute in node.attribute:
            if attribute.HasField("t") and attribute.t.data_location == TensorProto.EXTERNAL:
                raise ValueError(f"layer {name!r}: attribute {attribute.name!r} lies in another file")
        try:
            checker.check_node(node, self._context)
        except (checker.ValidationError, RuntimeError) as error:
            reason = str(error).strip().splitlines()[0]
            raise ValueError(f"layer {name!r} does not fit ONNX's {node.op_type}: {reason}") from error


def check_size(shape: Iterable[int], name: str) -> None:
    """Raise ValueError for a negative or absurdly large tensor."""
    sizes = list(shape)
    if len(sizes) > MAX_RANK:
        raise ValueError(f"tensor {name!r} has {len(sizes)} axes, more than {MAX_RANK}")
    if any(size < 0 for size in sizes) or math.prod(sizes) > MAX_ELEMENTS:
        raise ValueError(
            f"tensor {name!r} of shape {sizes}: more than {MAX_ELEMENTS} elements, or a negative size"
        )


def check_names(graph: onnx.GraphProto) -> None:
    """Raise ValueError where a name of the graph is defined twice."""
    inputs = [info.name for info in graph.input]
    stored = [tensor.name for tensor in graph.initializer]
    produced = [name for node in graph.node for name in node.output if name]
    for group in (inputs, stored, [*{*inputs, *stored}, *produced]):
        for name, times in Counter(group).items():
            if times > 1:
                raise ValueError(f"value {name!r} is defined twice")


def check_stored(tensor: TensorProto) -> None:
    """Raise ValueError where a stored tensor does not have the data that its shape promises."""
    check_size(tensor.dims, tensor.name)
    size = FLOAT_BYTES.get(tensor.data_type)
    if size is None or tensor.data_location == TensorProto.EXTERNAL:
        return
    if tensor.HasField("raw_data"):
        stored = len(tensor.raw_data) / size
    else:
        fields = {4: tensor.float_data, 2: tensor.int32_data, 8: tensor.double_data}
        stored = len(fields[size])
    if stored != math.prod(tensor.dims):
        raise ValueError(
            f"tensor {tensor.name!r} of shape {list(tensor.dims)} is damaged: it holds {stored:g} elements"
        )


def stated_shape(info: onnx.ValueInfoProto) -> Shape | None:
    """The stated shape without the batch, or None where it is not fixed."""
    dims = info.type.tensor_type.shape.dim
    if not dims or any(not dim.HasField("dim_value") or dim.dim_value <= 0 for dim in dims[1:]):
        return None
    return tuple(dim.dim_value for dim in dims[1:])


def load_external(proto: onnx.ModelProto, folder: Path) -> None:
    """Read the weights that lie in files of their own, all of them inside `folder`.

    Raises:
        ValueError: a file is missing, too short, or outside.
    """
    for tensor in proto.graph.initializer:
        if tensor.data_location != TensorProto.EXTERNAL:
            continue
        location = next((entry.value for entry in tensor.external_data if entry.key == "location"), "")
        target = (folder / location).resolve()
        if not target.is_relative_to(folder) or not target.is_file():
            raise ValueError(
                f"tensor {tensor.name!r} refers to {location!r}, which is no file in the model's folder"
            )
        try:
            load_external_data_for_tensor(tensor, str(folder))
        except (checker.ValidationError, OSError, OverflowError, RuntimeError) as error:
            raise ValueError(f"tensor {tensor.name!r} cannot be read from {location!r}: {error}") from error
        tensor.data_location = TensorProto.DEFAULT
        check_stored(tensor)
