"""What each layer becomes: one short function for each kind of operator, and one table.

The functions append to a `Lowering`; maps `[c, h, w]` are `(1, h, w, c)` there.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hwnas.network.network import Layer, Shape
from hwnas.network.program.layout import fused_activation, nhwc, nhwc_axis
from hwnas.network.program.program import UnsupportedOperatorError, Window

if TYPE_CHECKING:
    from hwnas.network.program.lower import Lowering

Lower = Callable[["Lowering", Layer], object]


def refused(layer: Layer, reason: str) -> UnsupportedOperatorError:
    """The error that says why `layer` has no form in TFLite."""
    return UnsupportedOperatorError(f"layer {layer.name}: {layer.op} {reason}")


def _window(layer: Layer, source: Shape) -> Window:
    """The window of a convolution or pooling over `[c, h, w]`; a rounded-up size needs more padding."""
    a: Any = layer.attributes
    if len(source) != 3:
        raise refused(layer, f"over {len(source) - 1} axes has no form in TFLite")
    pads = list(a["pads"])
    if a.get("ceil_mode"):
        for axis, out in enumerate(layer.output.shape[1:]):
            reach = (a["kernel_shape"][axis] - 1) * a["dilations"][axis] + 1
            needed = (out - 1) * a["strides"][axis] + reach - source[1 + axis] - pads[axis]
            pads[2 + axis] = max(pads[2 + axis], needed)
    return Window(tuple(a["kernel_shape"]), tuple(a["strides"]), tuple(pads), tuple(a["dilations"]))


def _conv(b: Lowering, layer: Layer) -> None:
    data, weight = layer.inputs[:2]
    window = _window(layer, b.shape(data))
    channels, inner, kh, kw = b.shape(weight)
    group: Any = layer.attributes["group"]
    if inner == 1 and group > 1:
        kind, shape = "DEPTHWISE_CONV_2D", (1, kh, kw, channels)
    else:
        kind, shape = "CONV_2D", (channels, kh, kw, inner)
    source = b.number(data)
    weights = b.constant(weight, shape, scales=channels)
    b.layer(layer, kind, [source, weights, b.bias(layer, channels, kind)], window=window)


def _conv_transpose(b: Lowering, layer: Layer) -> None:
    data, weight = layer.inputs[:2]
    window = _window(layer, b.shape(data))
    if layer.attributes["group"] != 1 or window.dilations != (1, 1):
        raise refused(layer, "with groups or dilation has no form in TFLite")
    inner, channels, kh, kw = b.shape(weight)
    shape = b.integers(f"{layer.name}.shape", (1, *layer.output.shape[1:], channels))
    weights = b.constant(weight, (channels, kh, kw, inner), scales=channels)
    inputs = [shape, weights, b.number(data)]
    bias = b.bias(layer, channels, "TRANSPOSE_CONV")
    b.layer(layer, "TRANSPOSE_CONV", inputs if bias < 0 else [*inputs, bias], window=window)


def _gemm(b: Lowering, layer: Layer) -> None:
    a: Any = layer.attributes
    if a["alpha"] != 1 or a["beta"] != 1:
        raise refused(layer, "with alpha or beta has no form in TFLite")
    data, weight = layer.inputs[:2]
    features = layer.output.shape[0]
    source = b.number(data)
    weights = b.constant(weight, (features, math.prod(b.shape(weight)) // features))
    b.layer(layer, "FULLY_CONNECTED", [source, weights, b.bias(layer, features, "FULLY_CONNECTED")])


def _matmul(b: Lowering, layer: Layer) -> None:
    left, right = layer.inputs
    if right in b.network.parameters and len(b.shape(left)) == 1:
        inputs, features = b.shape(right)
        source = b.number(left)
        weights = b.constant(right, (features, inputs))
        b.layer(layer, "FULLY_CONNECTED", [source, weights, b.bias(layer, features, "FULLY_CONNECTED")])
    else:
        b.layer(layer, "BATCH_MATMUL", [b.number(left), b.number(right)])


def _batch_norm(b: Lowering, layer: Layer) -> None:
    """A normalisation that stands alone: multiplied by a constant of each channel, and another one added."""
    channels = layer.output.shape[0]
    shape = b.tensors[b.number(layer.inputs[0])].shape
    source = b.number(layer.inputs[0])
    scale = b.constant(f"{layer.name}.scale", (channels,))
    product = b.operator(
        f"{layer.name}.scale", "MUL", [source, scale], f"{layer.name}.scaled", shape, layers=(layer,)
    )
    shift = b.constant(f"{layer.name}.shift", (channels,))
    b.layer(layer, "ADD", [product, shift])


def _pool(kind: str) -> Lower:
    def lower(b: Lowering, layer: Layer) -> None:
        window = _window(layer, b.shape(layer.inputs[0]))
        if layer.attributes.get("count_include_pad") and any(window.pads):
            raise refused(layer, "that counts its padding has no form in TFLite")
        b.layer(layer, kind, [b.number(layer.inputs[0])], window=window)

    return lower


def _global_pool(kind: str) -> Lower:
    def lower(b: Lowering, layer: Layer) -> None:
        size = b.shape(layer.inputs[0])[1:]
        if len(size) != 2:
            raise refused(layer, f"over {len(size)} axes has no form in TFLite")
        b.layer(layer, kind, [b.number(layer.inputs[0])], window=Window((size[0], size[1])))

    return lower


def _unary(kind: str, **names: str) -> Lower:
    """An operator of one value; `names` gives TFLite's name of each attribute that it has."""

    def lower(b: Lowering, layer: Layer) -> None:
        attributes: Any = layer.attributes
        options = {theirs: attributes[ours] for ours, theirs in names.items()}
        b.layer(layer, kind, [b.number(layer.inputs[0])], options=options)

    return lower


def _prelu(b: Lowering, layer: Layer) -> None:
    b.layer(layer, "PRELU", [b.number(layer.inputs[0]), b.number(layer.inputs[1])])


def _hard_sigmoid(b: Lowering, layer: Layer) -> None:
    """relu6(x + 3) / 6, which is what TFLite's converters make of it."""
    a: Any = layer.attributes
    if abs(a["alpha"] - 1 / 6) > 1e-4 or abs(a["beta"] - 0.5) > 1e-4:
        raise refused(layer, f"with alpha {a['alpha']:g} and beta {a['beta']:g} has no form in TFLite")
    source = b.number(layer.inputs[0])
    shape = b.tensors[source].shape
    name = layer.name
    three = b.constant(f"{name}.three", (1,), values=(3.0,))
    shifted = b.operator(
        f"{name}.shift",
        "ADD",
        [source, three],
        f"{name}.shifted",
        shape,
        activation="RELU6",
        layers=(layer,),
    )
    sixth = b.constant(f"{name}.sixth", (1,), values=(1 / 6,))
    b.layer(layer, "MUL", [shifted, sixth])


def _clip(b: Lowering, layer: Layer) -> None:
    activation = fused_activation(layer)
    if activation is None:
        bounds = [f"{layer.attributes.get(name)}" for name in ("min", "max")]
        raise refused(layer, f"to {' and '.join(bounds)} has no form in TFLite")
    b.layer(layer, activation, [b.number(layer.inputs[0])])


def _binary(kind: str) -> Lower:
    """Two or more values; more than two one after the other."""

    def lower(b: Lowering, layer: Layer) -> None:
        first, *others, last = [b.number(name) for name in layer.inputs]
        shape = b.tensors[b.number(layer.inputs[0])].shape
        for index, other in enumerate(others):
            part = f"{layer.name}.part{index}"
            first = b.operator(part, kind, [first, other], part, shape, layers=(layer,))
        b.layer(layer, kind, [first, last])

    return lower


def _concat(b: Lowering, layer: Layer) -> None:
    axis: Any = layer.attributes["axis"]
    options: dict[str, Any] = {"axis": nhwc_axis(axis, len(layer.output.shape) + 1)}
    b.layer(layer, "CONCATENATION", [b.number(name) for name in layer.inputs], options=options)


def _split(b: Lowering, layer: Layer) -> None:
    a: Any = layer.attributes
    source = b.number(layer.inputs[0])
    axis = nhwc_axis(a["axis"], len(b.tensors[source].shape))
    number = b.integers(f"{layer.name}.axis", (axis,))
    if len(set(a["split"])) == 1:
        b.split(layer, "SPLIT", [number, source])
    else:
        sizes = b.integers(f"{layer.name}.sizes", tuple(a["split"]))
        b.split(layer, "SPLIT_V", [source, sizes, number])


def _slice(b: Lowering, layer: Layer) -> None:
    a: Any = layer.attributes
    source = b.number(layer.inputs[0])
    shape = b.tensors[source].shape
    begin, end, strides = [0] * len(shape), list(shape), [1] * len(shape)
    for axis, start, stop, step in zip(a["axes"], a["starts"], a["ends"], a["steps"], strict=True):
        if step < 0:
            raise refused(layer, "backwards has no form in TFLite's int8 kernels")
        position = nhwc_axis(axis, len(shape))
        begin[position], end[position], strides[position] = start, stop, step
    bounds = [
        b.integers(f"{layer.name}.{name}", tuple(values))
        for name, values in (("begin", begin), ("end", end), ("strides", strides))
    ]
    b.layer(layer, "STRIDED_SLICE", [source, *bounds])


def _reshape(b: Lowering, layer: Layer) -> None:
    """Elements keep ONNX's order: a map is turned to channels first before, and back after."""
    source = b.number(layer.inputs[0])
    before, after = b.shape(layer.inputs[0]), layer.output.shape
    if _is_laid_out_otherwise(before):
        source = _turned(b, layer, "channels_first", source, (1, *before), (0, 3, 1, 2))
    if not _is_laid_out_otherwise(after):
        b.layer(layer, "RESHAPE", [source, b.integers(f"{layer.name}.shape", nhwc(after))])
        return
    shape = b.integers(f"{layer.name}.shape", (1, *after))
    name = f"{layer.name}.reshaped"
    reshaped = b.operator(name, "RESHAPE", [source, shape], name, (1, *after), layers=(layer,))
    b.layer(layer, "TRANSPOSE", [reshaped, b.integers(f"{layer.name}.channels_last", (0, 2, 3, 1))])


def _is_laid_out_otherwise(shape: Shape) -> bool:
    """Whether the elements of a map stand in another order in TFLite's layout."""
    return len(shape) == 3 and shape[0] > 1 and shape[1] * shape[2] > 1


def _turned(b: Lowering, layer: Layer, what: str, source: int, shape: Shape, perm: tuple[int, ...]) -> int:
    name = f"{layer.name}.{what}"
    axes = b.integers(f"{name}.perm", perm)
    return b.operator(name, "TRANSPOSE", [source, axes], name, shape, layers=(layer,))


def _transpose(b: Lowering, layer: Layer) -> None:
    perm: Any = layer.attributes["perm"]
    rank = len(perm)
    onnx_axes = {nhwc_axis(axis, rank): axis for axis in range(rank)}
    moved = tuple([nhwc_axis(perm[onnx_axes[position]], rank) for position in range(rank)])
    b.layer(layer, "TRANSPOSE", [b.number(layer.inputs[0]), b.integers(f"{layer.name}.perm", moved)])


def _pad(b: Lowering, layer: Layer) -> None:
    a: Any = layer.attributes
    if a["mode"] != "constant" or a["constant_value"] != 0:
        raise refused(layer, f"of mode {a['mode']} has no form in TFLite's int8 kernels")
    source = b.number(layer.inputs[0])
    rank = len(b.tensors[source].shape)
    pads = [(0, 0)] * rank
    for axis in range(rank):
        pads[nhwc_axis(axis, rank)] = (a["pads"][axis], a["pads"][rank + axis])
    flat = tuple(end for both in pads for end in both)
    b.layer(layer, "PAD", [source, b.integers(f"{layer.name}.paddings", flat, (rank, 2))])


def _reduce(kind: str) -> Lower:
    def lower(b: Lowering, layer: Layer) -> None:
        a: Any = layer.attributes
        source = b.number(layer.inputs[0])
        rank = len(b.tensors[source].shape)
        axes = tuple(sorted(nhwc_axis(axis, rank) for axis in a["axes"]))
        if not a["keepdims"] and rank == 4 and axes in ((1,), (2,)):
            raise refused(layer, "over one axis of a map, which would turn the others, has no form in TFLite")
        numbers = b.integers(f"{layer.name}.axes", axes)
        b.layer(layer, kind, [source, numbers], options={"keep_dims": bool(a["keepdims"])})

    return lower


def _resize(b: Lowering, layer: Layer) -> None:
    a: Any = layer.attributes
    if len(layer.output.shape) != 3 or layer.output.shape[0] != b.shape(layer.inputs[0])[0]:
        raise refused(layer, "of other axes than height and width has no form in TFLite")
    kinds = {"nearest": "RESIZE_NEAREST_NEIGHBOR", "linear": "RESIZE_BILINEAR"}
    if a["mode"] not in kinds:
        raise refused(layer, f"of mode {a['mode']} has no form in TFLite")
    mode = a["coordinate_transformation_mode"]
    options: dict[str, Any] = {
        "align_corners": mode == "align_corners",
        "half_pixel_centers": mode in ("half_pixel", "pytorch_half_pixel"),
    }
    size = b.integers(f"{layer.name}.size", layer.output.shape[1:])
    b.layer(layer, kinds[a["mode"]], [b.number(layer.inputs[0]), size], options=options)


def _fill(b: Lowering, layer: Layer) -> None:
    value: Any = layer.attributes["value"]
    shape = nhwc(layer.output.shape)
    dims = b.integers(f"{layer.name}.dims", shape)
    b.layer(layer, "FILL", [dims, b.constant(f"{layer.name}.value", (), values=(float(value),))])


def _softmax(b: Lowering, layer: Layer) -> None:
    axis: Any = layer.attributes["axis"]
    rank = len(layer.output.shape) + 1
    if nhwc_axis(axis, rank) != rank - 1:
        raise refused(layer, "over another axis than the channels has no form in TFLite")
    kind = "SOFTMAX" if layer.op == "Softmax" else "LOG_SOFTMAX"
    options: dict[str, Any] = {"beta": 1.0} if kind == "SOFTMAX" else {}
    b.layer(layer, kind, [b.number(layer.inputs[0])], options=options)


LOWERINGS: dict[str, Lower] = {
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "Gemm": _gemm,
    "MatMul": _matmul,
    "BatchNormalization": _batch_norm,
    "AveragePool": _pool("AVERAGE_POOL_2D"),
    "MaxPool": _pool("MAX_POOL_2D"),
    "GlobalAveragePool": _global_pool("AVERAGE_POOL_2D"),
    "GlobalMaxPool": _global_pool("MAX_POOL_2D"),
    "Relu": _unary("RELU"),
    "Sigmoid": _unary("LOGISTIC"),
    "Tanh": _unary("TANH"),
    "HardSwish": _unary("HARD_SWISH"),
    "LeakyRelu": _unary("LEAKY_RELU", alpha="alpha"),
    "Elu": _unary("ELU"),
    "Gelu": _unary("GELU"),
    "Exp": _unary("EXP"),
    "Log": _unary("LOG"),
    "Sqrt": _unary("SQRT"),
    "Neg": _unary("NEG"),
    "Abs": _unary("ABS"),
    "Floor": _unary("FLOOR"),
    "Ceil": _unary("CEIL"),
    "DepthToSpace": _unary("DEPTH_TO_SPACE", blocksize="block_size"),
    "SpaceToDepth": _unary("SPACE_TO_DEPTH", blocksize="block_size"),
    "PRelu": _prelu,
    "HardSigmoid": _hard_sigmoid,
    "Clip": _clip,
    "Softmax": _softmax,
    "LogSoftmax": _softmax,
    "Add": _binary("ADD"),
    "Sum": _binary("ADD"),
    "Sub": _binary("SUB"),
    "Mul": _binary("MUL"),
    "Div": _binary("DIV"),
    "Max": _binary("MAXIMUM"),
    "Min": _binary("MINIMUM"),
    "Pow": _binary("POW"),
    "Concat": _concat,
    "Slice": _slice,
    "Split": _split,
    "Reshape": _reshape,
    "Flatten": _reshape,
    "Squeeze": _reshape,
    "Unsqueeze": _reshape,
    "Transpose": _transpose,
    "Pad": _pad,
    "ReduceMean": _reduce("MEAN"),
    "ReduceSum": _reduce("SUM"),
    "ReduceMax": _reduce("REDUCE_MAX"),
    "ReduceMin": _reduce("REDUCE_MIN"),
    "Resize": _resize,
    "ConstantOfShape": _fill,
}
