"""The operator vocabulary: ONNX's names and attributes, and the shapes they produce.

One short function per operator, from the shapes of its inputs (batch left out, parameters whole) to
those of its outputs. Axes in attributes count the batch as axis 0, as ONNX does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hwnas.network.network import Attribute, Shape

Attributes = Mapping[str, Any]
Infer = Callable[[Attributes, Sequence[Shape]], list[Shape]]


@dataclass(frozen=True)
class Operator:
    """What is known of one ONNX operator.

    `defaults` are the attribute values that ONNX assumes; `parameters` names the inputs that may be
    parameters, by position; `attribute_inputs` maps the position of a shape-giving ONNX input to the
    attribute that holds it here.
    """

    infer: Infer
    defaults: Mapping[str, Attribute] = field(default_factory=dict)
    parameters: Mapping[int, str] = field(default_factory=dict)
    attribute_inputs: Mapping[int, str] = field(default_factory=dict)


OPERATORS: dict[str, Operator] = {}


class UnknownOperatorError(ValueError):
    """An operator outside the vocabulary; the message names it."""


def get_operator(op: str) -> Operator:
    """The operator called `op`; raises `UnknownOperatorError` naming it."""
    if op not in OPERATORS:
        raise UnknownOperatorError(f"operator {op} is not known to hwnas")
    return OPERATORS[op]


def operator(
    *names: str,
    defaults: Mapping[str, Attribute] | None = None,
    parameters: Mapping[int, str] | None = None,
    attribute_inputs: Mapping[int, str] | None = None,
) -> Callable[[Infer], Infer]:
    """Register a shape function for the operators `names`."""

    def register(infer: Infer) -> Infer:
        for name in names:
            if name in OPERATORS:
                raise ValueError(f"operator {name} is registered twice")
            OPERATORS[name] = Operator(infer, defaults or {}, parameters or {}, attribute_inputs or {})
        return infer

    return register


def infer_shapes(op: str, attributes: Attributes, shapes: Sequence[Shape]) -> list[Shape]:
    """Output shapes of `op`.

    Raises:
        UnknownOperatorError: `op` is not in the vocabulary.
        ValueError: the inputs do not fit the operator or each other.
    """
    try:
        found = get_operator(op).infer(attributes, shapes)
    except UnknownOperatorError:
        raise
    except (ValueError, IndexError, KeyError, TypeError, ZeroDivisionError) as error:
        raise ValueError(f"{op} does not accept inputs of shapes {list(shapes)}: {error}") from error
    for shape in found:
        if any(size <= 0 for size in shape):
            raise ValueError(f"{op} on inputs of shapes {list(shapes)} gives an empty output {shape}")
    return found


def normalised(op: str, attributes: Attributes, shapes: Sequence[Shape]) -> dict[str, Attribute]:
    """`attributes` with ONNX's defaults filled in, axes counted from the front and padding explicit."""
    full: dict[str, Attribute] = {**get_operator(op).defaults}
    full.update(
        {name: tuple(value) if isinstance(value, list) else value for name, value in attributes.items()}
    )
    if op in _WINDOWED:
        _fill_window(op, full, shapes)
    rank = len(shapes[0]) + 1 if shapes else 0
    for name in ("axis", "axes"):
        value = full.get(name)
        if isinstance(value, int):
            full[name] = value + rank if value < 0 else value
        elif isinstance(value, tuple):
            full[name] = tuple(int(axis) + rank if axis < 0 else int(axis) for axis in value)
    return full


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


# --- windows ---------------------------------------------------------------------------------------

_WINDOWED = frozenset({"Conv", "ConvTranspose", "MaxPool", "AveragePool"})


def _fill_window(op: str, full: dict[str, Any], shapes: Sequence[Shape]) -> None:
    if "kernel_shape" not in full:
        _require(len(shapes) > 1, f"{op} needs kernel_shape")
        full["kernel_shape"] = tuple(shapes[1][2:])
    dims = len(full["kernel_shape"])
    full.setdefault("strides", (1,) * dims)
    full.setdefault("dilations", (1,) * dims)
    auto = full.pop("auto_pad", "NOTSET")
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        full["pads"] = _same_pads(full, shapes[0], upper=auto == "SAME_UPPER")
    full.setdefault("pads", (0,) * (2 * dims))


def _same_pads(full: Attributes, shape: Shape, *, upper: bool) -> tuple[int, ...]:
    """Explicit pads of ONNX's SAME padding: the output is the input divided by the stride, rounded up."""
    begins, ends = [], []
    for size, k, s, d in zip(
        shape[1:], full["kernel_shape"], full["strides"], full["dilations"], strict=True
    ):
        total = max(0, (math.ceil(size / s) - 1) * s + (k - 1) * d + 1 - size)
        small, large = total // 2, total - total // 2
        begins.append(small if upper else large)
        ends.append(large if upper else small)
    return (*begins, *ends)


def _window_sizes(a: Attributes, shape: Shape) -> tuple[int, ...]:
    """Spatial output sizes of a sliding window over `[c, *spatial]`."""
    spatial = shape[1:]
    dims = len(spatial)
    _require(len(a["kernel_shape"]) == dims, f"a window of {a['kernel_shape']} over {dims} axes")
    sizes = []
    for axis, size in enumerate(spatial):
        begin, end = a["pads"][axis], a["pads"][dims + axis]
        reach = (a["kernel_shape"][axis] - 1) * a["dilations"][axis] + 1
        room = size + begin + end - reach
        _require(room >= 0, f"a window of {reach} does not fit into {size} with padding {begin}+{end}")
        stride = a["strides"][axis]
        steps = room // stride
        if a.get("ceil_mode") and room % stride and (steps + 1) * stride < size + begin:
            steps += 1
        sizes.append(steps + 1)
    return tuple(sizes)


@operator("Conv", defaults={"group": 1}, parameters={1: "weight", 2: "bias"})
def _conv(a: Attributes, shapes: Sequence[Shape]) -> list[Shape]:
    # [ci, h, w], [co, ci/g, kh, kw], [co] -> [co, h', w']
    x, weight = shapes[0], shapes[1]
    _require(
        x[0] % a["group"] == 0 and weight[0] % a["group"] == 0,
        f"channels not divisible by {a['group']} groups",
    )
    _require(weight[1] * a["group"] == x[0], f"{x[0]} input channels, {weight[1] * a['group']} expected")
    return [(weight[0], *_window_sizes(a, x))]


@operator("ConvTranspose", defaults={"group": 1}, parameters={1: "weight", 2: "bias"})
def _conv_transpose(a: Attributes, shapes: Sequence[Shape]) -> list[Shape]:
    # [ci, h, w], [ci, co/g, kh, kw], [co] -> [co, h', w']
    x, weight = shapes[0], shapes[1]
    _require(weight[0] == x[0], f"{x[0]} input channels, {weight[0]} expected")
    dims = len(x) - 1
    extra = a.get("output_padding", (0,) * dims)
    spatial = tuple(
        (x[1 + i] - 1) * a["strides"][i]
        + (a["kernel_shape"][i] - 1) * a["dilations"][i]
        + 1
        + extra[i]
        - a["pads"][i]
        - a["pads"][dims + i]
        for i in range(dims)
    )
    return [(weight[1] * a["group"], *spatial)]


@operator("MaxPool", defaults={"ceil_mode": 0})
def _max_pool(a: Attributes, shapes: Sequence[Shape]) -> list[Shape]:
    # [c, h, w] -> [c, h', w']
    return [(shapes[0][0], *_window_sizes(a, shapes[0]))]


@operator("AveragePool", defaults={"ceil_mode": 0, "count_include_pad": 0})
def _average_pool(a: Attributes, shapes: Sequence[Shape]) -> list[Shape]:
    # [c, h, w] -> [c, h', w']
    return [(shapes[0][0], *_window_sizes(a, shapes[0]))]


@operator("GlobalAveragePool", "GlobalMaxPool")
def _global_pool(a: Attributes, shapes: Sequence[Shape]) -> list[Shape]:
    # [c, h, w] -> [c, 1, 1]
    return [(shapes[0][0],) + (1,) * (len(shapes[0]) - 1)]


# --- matrix products -------------------------------------------------------------------------------


@operator(
    "Gemm",
    defaults={"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 0},
    parameters={1: "weight", 2: "bias"},
)
def _gemm(a: Attributes, shapes: Sequence[Shape]) -> list[Shape]:
    # [k], [n, k] or [k, n], [n] -> [n]
    _require(not a["transA"], "transA would mix the batch into the features")
    weight = shapes[1] if a["transB"] else shapes[1][::-1]
    _require(len(shapes[0]) == 1 and weight[1] == shapes[0][0], f"{weight[1]} features expected")
    return [(weight[0],)]


@operator("MatMul", parameters={0: "weight", 1: "weight"})
def _matmul(a: Attributes, shapes: Sequence[Shape]) -> list[Shape]:
    # [..., m, k] x [..., k, n] -> [..., m, n]; a parameter has no batch axis
    left, right = shapes
    if len(right) == 2 and len(left) == 1:
        _require(left[0] == right[0], f"{left[0]} columns against {right[0]} rows")
        return [(right[1],)]
    _require(left[-1] == right[-2], f"{left[-1]} columns against {right[-2]} rows")
    return [(*broadcast(left[:-2], right[:-2]), left[-2], right[-1])]


# --- normalisation ---------------------------------------------------------------------------------


@operator(
    "BatchNormalization",
    defaults={"epsilon": 1e-5, "momentum": 0.9, "training_mode": 0},
    parameters={1: "weight", 2: "bias", 3: "running_mean", 4: "running_var"},
)
def _batch_normalization(a: Attributes, shapes: Sequence[Shape]) -> list[Shape]:
    # [c, ...], [c] x 4 -> [c, ...]
    _require(all(shape == (shapes[0][0],) for shape in shapes[1:]), f"{shapes[0][0]} channels expected")
    return [shapes[0]]


@operator("InstanceNormalization", defaults={"epsilon": 1e-5}, parameters={1: "weight", 2: "bias"})
def _instance_normalization(a: Attributes, shapes: Sequence[Shape]) -> list[Shape]:
    # [c, ...], [c], [c] -> [c, ...]
    return [shapes[0]]


@operator("GroupNormalization", defaults={"epsilon": 1e-5}, parameters={1: "weight", 2: "bias"})
def _group_normalization(a: Attributes, shapes: Sequence[Shape]) -> list[Shape]:
    # [c, ...], [c], [c] -> [c, ...]
    _require(shapes[0][0] % a["num_groups"] == 0, f"{shapes[0][0]} channels in {a['num_groups']} groups")
    return [shapes[0]]


@operator("LayerNormalization", defaults={"axis": -1, "epsilon": 1e-5}, parameters={1: "weight", 2: "bias"})
def _layer_normalization(a: Attributes, shapes: Sequence[Shape]) -> list[Shape]:
    # [..., n], [n], [n] -> [..., n]
    return [shapes[0]]


@operator("LRN", defaults={"alpha": 1e-4, "beta": 0.75, "bias": 1.0})
def _lrn(a: Attributes, shapes: Sequence[Shape]) -> list[Shape]:
    # [c, h, w] -> [c, h, w]
    return [shapes[0]]


# --- element by element ----------------------------------------------------------------------------


def _same(a: Attributes, shapes: Sequence[Shape]) -> list[Shape]:
    # [...] -> [...]
    return [shapes[0]]


operator(
    "Relu", "Sigmoid", "Tanh", "HardSwish", "Softplus", "Softsign", "Mish", "Erf", "Exp", "Log", "Sqrt",
    "Neg", "Abs", "Reciprocal", "Floor", "Ceil", "Sign", "Identity",
)(_same)  # fmt: skip
operator("LeakyRelu", defaults={"alpha": 0.01})(_same)
operator("Elu", defaults={"alpha": 1.0})(_same)
operator("Selu", defaults={"alpha": 1.67326319217681884765625, "gamma": 1.05070102214813232421875})(_same)
operator("Celu", defaults={"alpha": 1.0})(_same)
operator("HardSigmoid", defaults={"alpha": 0.2, "beta": 0.5})(_same)
operator("Gelu", defaults={"approximate": "none"})(_same)
operator("Clip", attribute_inputs={1: "min", 2: "max"})(_same)
operator("PRelu", parameters={1: "weight"})(_same)
operator("Dropout", defaults={"ratio": 0.5}, attribute_inputs={1: "ratio", 2: "training_mode"})(_same)
operator("Softmax", "LogSoftmax", defaults={"axis": -1})(_same)
operator("Cast")(_same)


def broadcast(*shapes: Shape) -> Shape:
    """NumPy's broadcast of shapes; raises ValueError where they do not fit."""
    rank = max(len(shape) for shape in shapes)
    padded = [(1,) * (rank - len(shape)) + tuple(shape) for shape in shapes]
    result = []
    for sizes in zip(*padded, strict=True):
        known = {size for size in sizes if size != 1}
        _require(len(known) <= 1, f"{list(shapes)} do not broadcast")
        result.append(known.pop() if known else 1)
    return tuple(result)


@operator(
    "Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Sum", "Mean", parameters={0: "weight", 1: "weight"}
)
def _broadcasting(a: Attributes, shapes: Sequence[Shape]) -> list[Shape]:
    # [...], [...] -> [...]; the shape of a parameter has a leading 1 for the batch where its rank asks for it
    rank = max(len(shape) for shape in shapes)
    without_batch = [shape[1:] if len(shape) > rank - 1 and shape[:1] == (1,) else shape for shape in shapes]
    return [broadcast(*(without_batch if any(len(s) < rank for s in shapes) else shapes))]


# --- shapes ----------------------------------------------------------------------------------------


def _inner(axis: int) -> int:
    _require(axis > 0, "axis 0 is the batch")
    return axis - 1


@operator("Concat")
def _concat(a: Attributes, shapes: Sequence[Shape]) -> list[Shape]:
    # [c1, h, w], [c2, h, w] -> [c1 + c2, h, w]
    axis = _inner(a["axis"])
    rest = {shape[:axis] + shape[axis + 1 :] for shape in shapes}
    _require(len(rest) == 1, "the other axes differ")
    first = shapes[0]
    return [(*first[:axis], sum(shape[axis] for shape in shapes), *first[axis + 1 :])]


@operator("Split", defaults={"axis": 0}, attribute_inputs={1: "split"})
def _split(a: Attributes, shapes: Sequence[Shape]) -> list[Shape]:
    # [c, h, w] -> [c1, h, w], [c2, h, w], ...
    axis, shape = _inner(a["axis"]), shapes[0]
    sizes = a.get("split") or _equal_parts(shape[axis], a["num_outputs"])
    _require(sum(sizes) == shape[axis], f"parts {sizes} of {shape[axis]}")
    return [(*shape[:axis], size, *shape[axis + 1 :]) for size in sizes]


def _equal_parts(total: int, parts: int) -> tuple[int, ...]:
    size = math.ceil(total / parts)
    return (size,) * (parts - 1) + (total - size * (parts - 1),)


@operator("Slice", attribute_inputs={1: "starts", 2: "ends", 3: "axes", 4: "steps"})
def _slice(a: Attributes, shapes: Sequence[Shape]) -> list[Shape]:
    # [c, h, w] -> [c', h', w']
    shape = list(shapes[0])
    axes = a.get("axes") or tuple(range(len(a["starts"])))
    steps = a.get("steps") or (1,) * len(axes)
    for axis, start, end, step in zip(axes, a["starts"], a["ends"], steps, strict=True):
        inner = _inner(axis)
        shape[inner] = len(range(*slice(start, end, step).indices(shape[inner])))
    return [tuple(shape)]


@operator("Reshape", attribute_inputs={1: "shape"})
def _reshape(a: Attributes, shapes: Sequence[Shape]) -> list[Shape]:
    # [...] -> shape[1:], where shape[0] is 0: the batch as it is
    _require(a["shape"][0] == 0, "the first axis of the target must stay the batch (0)")
    source, target = shapes[0], a["shape"][1:]
    sizes = [source[i] if size == 0 else size for i, size in enumerate(target)]
    total = math.prod(source)
    if -1 in sizes:
        known = -math.prod(sizes)
        _require(known > 0 and total % known == 0, f"{total} elements do not divide into {target}")
        sizes[sizes.index(-1)] = total // known
    _require(math.prod(sizes) == total, f"{total} elements into {target}")
    return [tuple(sizes)]


@operator("Flatten", defaults={"axis": 1})
def _flatten(a: Attributes, shapes: Sequence[Shape]) -> list[Shape]:
    # [c, h, w] -> [c*h*w]
    _require(a["axis"] == 1, "only axis 1 keeps the batch")
    return [(math.prod(shapes[0]),)]


@operator("Transpose")
def _transpose(a: Attributes, shapes: Sequence[Shape]) -> list[Shape]:
    # [c, h, w] -> permuted
    _require(a["perm"][0] == 0, "the batch must stay the first axis")
    return [tuple(shapes[0][axis - 1] for axis in a["perm"][1:])]


@operator("Squeeze", attribute_inputs={1: "axes"})
def _squeeze(a: Attributes, shapes: Sequence[Shape]) -> list[Shape]:
    # [c, 1, 1] -> [c]
    axes = a.get("axes") or tuple(i + 1 for i, size in enumerate(shapes[0]) if size == 1)
    gone = {_inner(axis) for axis in axes}
    _require(all(shapes[0][axis] == 1 for axis in gone), f"axes {axes} are not all of size 1")
    return [tuple(size for i, size in enumerate(shapes[0]) if i not in gone)]


@operator("Unsqueeze", attribute_inputs={1: "axes"})
def _unsqueeze(a: Attributes, shapes: Sequence[Shape]) -> list[Shape]:
    # [c] -> [c, 1, 1]; axes count the result's
    shape = list(shapes[0])
    for axis in sorted(a["axes"]):
        shape.insert(_inner(axis), 1)
    return [tuple(shape)]


@operator("Expand", attribute_inputs={1: "shape"})
def _expand(a: Attributes, shapes: Sequence[Shape]) -> list[Shape]:
    # [c, 1, 1] -> [c, h, w]
    return [broadcast(shapes[0], tuple(a["shape"][1:]))]


@operator("Pad", defaults={"mode": "constant"}, attribute_inputs={1: "pads", 2: "constant_value", 3: "axes"})
def _pad(a: Attributes, shapes: Sequence[Shape]) -> list[Shape]:
    # [c, h, w] -> [c + ., h + ., w + .]
    rank = len(shapes[0]) + 1
    axes = a.get("axes") or tuple(range(rank))
    half = len(a["pads"]) // 2
    shape = [0, *shapes[0]]
    for position, axis in enumerate(axes):
        shape[axis] += a["pads"][position] + a["pads"][half + position]
    _require(shape[0] == 0, "the batch cannot be padded")
    return [tuple(shape[1:])]


@operator("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL2",
          defaults={"keepdims": 1}, attribute_inputs={1: "axes"})  # fmt: skip
def _reduce(a: Attributes, shapes: Sequence[Shape]) -> list[Shape]:
    # [c, h, w] -> [c, 1, 1] or [c]
    axes = {_inner(axis) for axis in a["axes"]}
    if a["keepdims"]:
        return [tuple(1 if i in axes else size for i, size in enumerate(shapes[0]))]
    return [tuple(size for i, size in enumerate(shapes[0]) if i not in axes)]


@operator("Resize", defaults={"mode": "nearest", "coordinate_transformation_mode": "half_pixel",
                              "nearest_mode": "round_prefer_floor"},
          attribute_inputs={2: "scales", 3: "sizes"})  # fmt: skip
def _resize(a: Attributes, shapes: Sequence[Shape]) -> list[Shape]:
    # [c, h, w] -> [c, h', w']
    if a.get("sizes"):
        return [tuple(a["sizes"][1:])]
    return [tuple(math.floor(size * scale) for size, scale in zip(shapes[0], a["scales"][1:], strict=True))]


@operator("DepthToSpace", defaults={"mode": "DCR"})
def _depth_to_space(a: Attributes, shapes: Sequence[Shape]) -> list[Shape]:
    # [c*b*b, h, w] -> [c, h*b, w*b]
    (c, h, w), b = shapes[0], a["blocksize"]
    _require(c % (b * b) == 0, f"{c} channels in blocks of {b}")
    return [(c // (b * b), h * b, w * b)]


@operator("SpaceToDepth")
def _space_to_depth(a: Attributes, shapes: Sequence[Shape]) -> list[Shape]:
    # [c, h*b, w*b] -> [c*b*b, h, w]
    (c, h, w), b = shapes[0], a["blocksize"]
    _require(h % b == 0 and w % b == 0, f"{h}x{w} in blocks of {b}")
    return [(c * b * b, h // b, w // b)]


@operator("ConstantOfShape", defaults={"value": 0.0}, attribute_inputs={0: "shape"})
def _constant_of_shape(a: Attributes, shapes: Sequence[Shape]) -> list[Shape]:
    # -> shape[1:], where shape[0] is 0: the batch of the input
    return [tuple(a["shape"][1:])]
