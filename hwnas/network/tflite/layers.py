"""What each operator of a `.tflite` file becomes: one short function for each kind, and one table.

The functions append layers to a `Conversion`; maps `(1, h, w, c)` are `[c, h, w]` there, and tensors of other
ranks keep their axes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from hwnas.network.network import Parameter, Value
from hwnas.network.program import Operator
from hwnas.network.tflite.movement import (
    blocks,
    concat,
    fill,
    onnx_axis,
    onnx_order,
    pad,
    reduce,
    reshape,
    reshaped,
    resize,
    same,
    split,
    strided_slice,
    transpose,
)

if TYPE_CHECKING:
    from hwnas.network.tflite.from_tflite import Conversion

# --- convolutions, matrices


def _weights(c: Conversion, o: Operator, position: int, order: Sequence[int]) -> Parameter:
    shape = c.file.program.tensors[o.inputs[position]].shape
    return c.parameter(f"{o.name.lower()}.weight", o.inputs[position], tuple(shape[axis] for axis in order))


def _bias(c: Conversion, o: Operator, position: int) -> Parameter | None:
    if position >= len(o.inputs) or o.inputs[position] < 0:
        return None
    shape = c.file.program.tensors[o.inputs[position]].shape
    return c.parameter(f"{o.name.lower()}.bias", o.inputs[position], shape)


def _attributes(o: Operator) -> dict[str, Any]:
    assert o.window is not None
    return {"strides": o.window.strides, "pads": o.window.pads, "dilations": o.window.dilations}


def _parameters(*parameters: Parameter | None) -> list[Parameter]:
    return [parameter for parameter in parameters if parameter is not None]


def _conv(c: Conversion, o: Operator) -> None:
    x, weight = c.value(o.inputs[0]), _weights(c, o, 1, (0, 3, 1, 2))
    group = x.shape[0] // weight.shape[1]
    owned = _parameters(weight, _bias(c, o, 2))
    c.finish(o, [c.layer(o, "Conv", x, *owned, group=group, **_attributes(o))])


def _depthwise(c: Conversion, o: Operator) -> None:
    x, weight = c.value(o.inputs[0]), _weights(c, o, 1, (3, 0, 1, 2))
    owned = _parameters(weight, _bias(c, o, 2))
    c.finish(o, [c.layer(o, "Conv", x, *owned, group=x.shape[0], **_attributes(o))])


def _transpose_conv(c: Conversion, o: Operator) -> None:
    x, weight = c.value(o.inputs[2]), _weights(c, o, 1, (3, 0, 1, 2))
    assert o.window is not None
    made = [
        (x.shape[1 + i] - 1) * o.window.strides[i]
        + o.window.kernel[i]
        - o.window.pads[i]
        - o.window.pads[2 + i]
        for i in (0, 1)
    ]
    more = tuple(size - made[i] for i, size in enumerate(c.shape(o.outputs[0])[1:3]))
    owned = _parameters(weight, _bias(c, o, 3))
    c.finish(o, [c.layer(o, "ConvTranspose", x, *owned, output_padding=more, **_attributes(o))])


def _fully_connected(c: Conversion, o: Operator) -> None:
    x, out = c.value(o.inputs[0]), c.shape(o.outputs[0])
    inner = c.file.program.tensors[o.inputs[1]].shape[1]
    if x.size == inner:
        flat = c.layer(o, "Flatten", x) if len(x.shape) > 1 else x
        owned = _parameters(_weights(c, o, 1, (0, 1)), _bias(c, o, 2))
        made = c.layer(o, "Gemm", flat, *owned, transB=1)
        c.finish(o, [made if len(out) == 2 else reshaped(c, o, made, out)])
        return
    if len(x.shape) != 2 or len(out) != 3:
        raise ValueError(f"rows of {inner} of {x.shape} would mix the batch")
    made = c.layer(o, "MatMul", x, _weights(c, o, 1, (1, 0)))
    bias = _bias(c, o, 2)
    c.finish(o, [made if bias is None else c.layer(o, "Add", made, bias)])


# --- windows


def _pool(op: str) -> Callable[[Conversion, Operator], None]:
    def convert(c: Conversion, o: Operator) -> None:
        x = c.value(o.inputs[0])
        assert o.window is not None
        if o.window.kernel == x.shape[1:] and not any(o.window.pads):
            c.finish(o, [c.layer(o, f"Global{op}", x)])
        else:
            c.finish(o, [c.layer(o, op, x, kernel_shape=o.window.kernel, **_attributes(o))])

    return convert


# --- element by element


def _unary(op: str, /, *names: str, **attributes: float) -> Callable[[Conversion, Operator], None]:
    """An operator of one value; `names` are those of TFLite's options that ONNX calls the same."""

    def convert(c: Conversion, o: Operator) -> None:
        given = {name: o.options[name] for name in names}
        c.finish(o, [c.layer(o, op, c.value(o.inputs[0]), **attributes, **given)])

    return convert


def _binary(op: str) -> Callable[[Conversion, Operator], None]:
    def convert(c: Conversion, o: Operator) -> None:
        rank = len(c.shape(o.outputs[0]))
        c.finish(o, [c.layer(o, op, *[_operand(c, o, number, rank) for number in o.inputs])])

    return convert


def _operand(c: Conversion, o: Operator, number: int, rank: int) -> Value | Parameter:
    """An operand of `rank` axes, with 1 for those that it lacks in front."""
    shape = c.file.program.tensors[number].shape
    full = (1,) * (rank - len(shape)) + shape
    if full[:1] != (1,):
        raise ValueError(f"an operand of shape {shape} would mix the batch")
    if c.is_constant(number):
        return c.parameter(f"{o.name.lower()}.weight", number, onnx_order(full)[1:])
    value = c.value(number)
    if len(shape) == rank:
        return value
    if value.size != shape[-1]:
        raise ValueError(f"an operand of shape {shape} beside one of {rank} axes")
    return reshaped(c, o, value, full)


def _softmax(op: str) -> Callable[[Conversion, Operator], None]:
    def convert(c: Conversion, o: Operator) -> None:
        rank = len(c.shape(o.inputs[0]))
        c.finish(o, [c.layer(o, op, c.value(o.inputs[0]), axis=onnx_axis(rank - 1, rank))])

    return convert


LAYERS: dict[str, Callable[[Conversion, Operator], None]] = {
    "ABS": _unary("Abs"),
    "ADD": _binary("Add"),
    "AVERAGE_POOL_2D": _pool("AveragePool"),
    "CEIL": _unary("Ceil"),
    "CONCATENATION": concat,
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _depthwise,
    "DEPTH_TO_SPACE": blocks("DepthToSpace"),
    "DEQUANTIZE": same,
    "DIV": _binary("Div"),
    "ELU": _unary("Elu"),
    "EXP": _unary("Exp"),
    "EXPAND_DIMS": reshape,
    "FILL": fill,
    "FLOOR": _unary("Floor"),
    "FULLY_CONNECTED": _fully_connected,
    "HARD_SWISH": _unary("HardSwish"),
    "LEAKY_RELU": _unary("LeakyRelu", "alpha"),
    "LOG": _unary("Log"),
    "LOGISTIC": _unary("Sigmoid"),
    "LOG_SOFTMAX": _softmax("LogSoftmax"),
    "MAXIMUM": _binary("Max"),
    "MAX_POOL_2D": _pool("MaxPool"),
    "MEAN": reduce("ReduceMean"),
    "MINIMUM": _binary("Min"),
    "MUL": _binary("Mul"),
    "NEG": _unary("Neg"),
    "PAD": pad,
    "PADV2": pad,
    "PRELU": _binary("PRelu"),
    "QUANTIZE": same,
    "REDUCE_MAX": reduce("ReduceMax"),
    "REDUCE_MIN": reduce("ReduceMin"),
    "RELU": _unary("Relu"),
    "RELU6": _unary("Clip", min=0.0, max=6.0),
    "RELU_N1_TO_1": _unary("Clip", min=-1.0, max=1.0),
    "RESHAPE": reshape,
    "RESIZE_BILINEAR": resize("linear"),
    "RESIZE_NEAREST_NEIGHBOR": resize("nearest"),
    "SOFTMAX": _softmax("Softmax"),
    "SPACE_TO_DEPTH": blocks("SpaceToDepth"),
    "SPLIT": split(1, 0),
    "SPLIT_V": split(0, 2),
    "SQRT": _unary("Sqrt"),
    "SQUEEZE": reshape,
    "STRIDED_SLICE": strided_slice,
    "SUB": _binary("Sub"),
    "SUM": reduce("ReduceSum"),
    "TANH": _unary("Tanh"),
    "TRANSPOSE": transpose,
    "TRANSPOSE_CONV": _transpose_conv,
}
