"""Whether the shapes of an operator's tensors fit each other: what TFLite's kernels take for granted.

One short function for each kind; kinds that are not in `CHECKS` are not checked.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hwnas.network.network import Shape
from hwnas.network.program import Operator, Tensor

_BIAS_DTYPES = ("int32", "int64", "float32")


def check_shapes(operator: Operator, tensors: Sequence[Tensor]) -> None:
    """Raise ValueError, naming the operator, unless its tensors fit each other."""
    check = CHECKS.get(operator.kind)
    if check is None:
        return
    try:
        check(_Sides(operator, tensors))
    except (ValueError, IndexError) as error:
        raise ValueError(f"{operator.name}: {error or 'it lacks inputs or outputs'}") from error


class _Sides:
    """The inputs and outputs of an operator."""

    def __init__(self, operator: Operator, tensors: Sequence[Tensor]) -> None:
        self.operator = operator
        self.tensors = [tensors[number] if number >= 0 else None for number in operator.inputs]
        self.outputs = [tensors[number].shape for number in operator.outputs]

    def shape(self, position: int) -> Shape:
        """The shape of an input."""
        tensor = self.tensors[position]
        require(tensor is not None, f"input {position} is missing")
        assert tensor is not None
        return tensor.shape

    @property
    def shapes(self) -> list[Shape]:
        """The shapes of all inputs."""
        return [self.shape(position) for position in range(len(self.tensors))]

    def values(self, position: int) -> tuple[int, ...]:
        """What an input that describes the operator holds."""
        tensor = self.tensors[position]
        require(
            tensor is not None and tensor.values is not None, f"input {position} must be a short constant"
        )
        assert tensor is not None and tensor.values is not None
        return tuple([int(value) for value in tensor.values])

    def option(self, name: str) -> int:
        """A whole number among the options."""
        found: Any = self.operator.options[name]
        return int(found)

    def axes(self, values: Sequence[int], rank: int) -> list[int]:
        """Axes counted from the front."""
        require(all(-rank <= axis < rank for axis in values), f"axes {tuple(values)} of {rank}")
        return [axis % rank for axis in values]

    def gives(self, *shapes: Shape) -> None:
        """Require that these are the outputs."""
        given = [None if tensor is None else tensor.shape for tensor in self.tensors]
        require(self.outputs == list(shapes), f"{given} make {list(shapes)}, not {self.outputs}")

    def bias(self, position: int, channels: int) -> None:
        """Require that there is no bias, or one of `channels`."""
        if position < len(self.tensors) and (bias := self.tensors[position]) is not None:
            fits = bias.shape == (channels,) and bias.dtype in _BIAS_DTYPES
            require(fits, f"a bias of {bias.dtype} {bias.shape}, {channels} numbers expected")


def require(condition: bool, message: str) -> None:
    """Raise ValueError with `message` unless `condition` holds."""
    if not condition:
        raise ValueError(message)


def _conv(s: _Sides) -> None:
    # (1, h, w, ci), (co, kh, kw, ci/g), (co) -> (1, h', w', co)
    data, weights, out = s.shape(0), s.shape(1), s.outputs[0]
    groups = data[3] // weights[3]
    require(groups * weights[3] == data[3] and weights[0] % groups == 0, f"{weights} for {data[3]} channels")
    s.bias(2, weights[0])
    s.gives((data[0], *out[1:3], weights[0]))


def _depthwise(s: _Sides) -> None:
    # (1, h, w, c), (1, kh, kw, c·m), (c·m) -> (1, h', w', c·m)
    data, weights, out = s.shape(0), s.shape(1), s.outputs[0]
    require(weights[0] == 1 and weights[3] % data[3] == 0, f"{weights} for {data[3]} channels")
    s.bias(2, weights[3])
    s.gives((data[0], *out[1:3], weights[3]))


def _transpose_conv(s: _Sides) -> None:
    # (4), (co, kh, kw, ci), (1, h, w, ci), (co) -> (1, h', w', co)
    weights, data, out = s.shape(1), s.shape(2), s.outputs[0]
    require(weights[3] == data[3], f"{weights} for {data[3]} channels")
    s.bias(3, weights[0])
    s.gives((data[0], *out[1:3], weights[0]))


def _fully_connected(s: _Sides) -> None:
    # (rows..., k) or anything of rows·k, (n, k), (n) -> rows·n
    data, weights, out = s.shape(0), s.shape(1), s.outputs[0]
    require(len(weights) == 2 and math.prod(data) % weights[1] == 0, f"{weights} for {data}")
    s.bias(2, weights[0])
    s.gives(out)
    rows = math.prod(data) // weights[1]
    require(
        out[-1] == weights[0] and math.prod(out) == rows * weights[0], f"{data}, {weights} do not make {out}"
    )


def _pool(s: _Sides) -> None:
    # (1, h, w, c) -> (1, h', w', c)
    data, out = s.shape(0), s.outputs[0]
    s.gives((data[0], *out[1:3], data[3]))


def _same(s: _Sides) -> None:
    # (...) -> (...)
    s.gives(s.shape(0))


def _broadcast(s: _Sides) -> None:
    # (...), (...) -> their broadcast
    require(len(s.tensors) == 2, f"{len(s.tensors)} inputs, two expected")
    s.gives(np.broadcast_shapes(*s.shapes))


def _same_size(s: _Sides) -> None:
    # n elements -> n elements
    source, out = s.shape(0), s.outputs[0]
    require(len(s.outputs) == 1 and math.prod(source) == math.prod(out), f"{source} does not make {out}")


def _concat(s: _Sides) -> None:
    # n of (..., a_i, ...) -> (..., Σ a_i, ...)
    first, *others = s.shapes
    [axis] = s.axes([s.option("axis")], len(first))
    for other in others:
        require(
            other[:axis] + other[axis + 1 :] == first[:axis] + first[axis + 1 :], f"{s.shapes} side by side"
        )
    s.gives((*first[:axis], sum(shape[axis] for shape in s.shapes), *first[axis + 1 :]))


def _reduce(s: _Sides) -> None:
    # (...), (axes) -> without the axes, or with 1 there
    source = s.shape(0)
    axes = s.axes(s.values(1), len(source))
    if s.operator.options["keep_dims"]:
        s.gives(tuple(1 if axis in axes else size for axis, size in enumerate(source)))
    else:
        s.gives(tuple(size for axis, size in enumerate(source) if axis not in axes))


def _pad(s: _Sides) -> None:
    # (...), (rank, 2) -> (before + size + after, ...)
    source, pads = s.shape(0), s.values(1)
    require(len(pads) == 2 * len(source) and min(pads, default=0) >= 0, f"paddings {pads} of {source}")
    s.gives(tuple(size + pads[2 * axis] + pads[2 * axis + 1] for axis, size in enumerate(source)))


def _fill(s: _Sides) -> None:
    # (dims), () -> dims
    s.gives(s.values(0))


def _transpose(s: _Sides) -> None:
    # (...), (perm) -> permuted
    source, perm = s.shape(0), s.values(1)
    require(sorted(perm) == list(range(len(source))), f"permutation {perm} of {source}")
    s.gives(tuple(source[axis] for axis in perm))


def _strided_slice(s: _Sides) -> None:
    # (...), begin, end, strides -> every stride-th from begin to end
    source = s.shape(0)
    begin, end, strides = (s.values(position) for position in (1, 2, 3))
    options = {name: s.option(name) for name in s.operator.options}
    require(len(begin) == len(end) == len(strides) == len(source), "bounds of fewer axes than the tensor has")
    require(not options["ellipsis_mask"] and not options["new_axis_mask"], "an ellipsis or new axes")
    require(0 not in strides, f"strides {strides}")
    sizes = []
    for axis, size in enumerate(source):
        first = None if options["begin_mask"] >> axis & 1 else begin[axis]
        last = None if options["end_mask"] >> axis & 1 else end[axis]
        if options["shrink_axis_mask"] >> axis & 1:
            require(-size <= begin[axis] < size, f"position {begin[axis]} of {size}")
        else:
            sizes.append(len(range(*slice(first, last, strides[axis]).indices(size))))
    s.gives(tuple(sizes))


def _split(s: _Sides) -> None:
    # (axis), (..., n·a, ...) -> n of (..., a, ...)
    source = s.shape(1)
    [axis] = s.axes(s.values(0), len(source))
    count = len(s.outputs)
    require(source[axis] % count == 0, f"{source[axis]} in {count} parts")
    s.gives(*[(*source[:axis], source[axis] // count, *source[axis + 1 :])] * count)


def _resize(s: _Sides) -> None:
    # (1, h, w, c), (2) -> (1, h', w', c)
    source, size = s.shape(0), s.values(1)
    s.gives((source[0], *size, source[3]))


def _depth_to_space(s: _Sides) -> None:
    # (1, h, w, b·b·c) -> (1, b·h, b·w, c)
    (n, h, w, c), b = s.shape(0), s.option("block_size")
    require(b > 0 and c % (b * b) == 0, f"blocks of {b}×{b} of {c} channels")
    s.gives((n, h * b, w * b, c // (b * b)))


def _space_to_depth(s: _Sides) -> None:
    # (1, b·h, b·w, c) -> (1, h, w, b·b·c)
    (n, h, w, c), b = s.shape(0), s.option("block_size")
    require(b > 0 and h % b == 0 and w % b == 0, f"blocks of {b}×{b} of {h}×{w}")
    s.gives((n, h // b, w // b, c * b * b))


UNARY = (
    *("ABS", "CEIL", "DEQUANTIZE", "ELU", "EXP", "FLOOR", "HARD_SWISH", "LEAKY_RELU", "LOG", "LOGISTIC"),
    *("LOG_SOFTMAX", "NEG", "QUANTIZE", "RELU", "RELU6", "RELU_N1_TO_1", "SOFTMAX", "SQRT", "TANH"),
)
BINARY = ("ADD", "DIV", "MAXIMUM", "MINIMUM", "MUL", "PRELU", "SUB")
REDUCTIONS = ("MEAN", "REDUCE_MAX", "REDUCE_MIN", "SUM")

CHECKS: dict[str, Callable[[_Sides], None]] = {
    "AVERAGE_POOL_2D": _pool,
    "CONCATENATION": _concat,
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _depthwise,
    "DEPTH_TO_SPACE": _depth_to_space,
    "EXPAND_DIMS": _same_size,
    "FILL": _fill,
    "FULLY_CONNECTED": _fully_connected,
    "MAX_POOL_2D": _pool,
    "PAD": _pad,
    "PADV2": _pad,
    "RESHAPE": _same_size,
    "RESIZE_BILINEAR": _resize,
    "RESIZE_NEAREST_NEIGHBOR": _resize,
    "SPACE_TO_DEPTH": _space_to_depth,
    "SPLIT": _split,
    "SQUEEZE": _same_size,
    "STRIDED_SLICE": _strided_slice,
    "TRANSPOSE": _transpose,
    "TRANSPOSE_CONV": _transpose_conv,
    **dict.fromkeys(UNARY, _same),
    **dict.fromkeys(BINARY, _broadcast),
    **dict.fromkeys(REDUCTIONS, _reduce),
}
