"""What operators that move data, reduce or resize become: see `layers`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hwnas.network.network import Shape, Value
from hwnas.network.program import Operator

if TYPE_CHECKING:
    from hwnas.network.tflite.from_tflite import Conversion

_TO_NHWC, _TO_NCHW = (0, 2, 3, 1), (0, 3, 1, 2)


def onnx_axis(axis: int, rank: int) -> int:
    """ONNX's number of TFLite's axis."""
    axis %= rank
    return {1: 2, 2: 3, 3: 1}.get(axis, axis) if rank == 4 else axis


def onnx_order(numbers: Sequence[int]) -> tuple[int, ...]:
    """Numbers, one for each of TFLite's axes, in the order of ONNX's."""
    return tuple(numbers[axis] for axis in _TO_NCHW) if len(numbers) == 4 else tuple(numbers)


def same(c: Conversion, o: Operator) -> None:
    """A conversion of numbers: the value stays."""
    c.pass_on(o, o.inputs[0])


def reshape(c: Conversion, o: Operator) -> None:
    """The same elements in another shape; only a fully connected operator may see them transposed."""
    source, target = c.shape(o.inputs[0]), c.shape(o.outputs[0])
    if source == target:
        c.pass_on(o, o.inputs[0])
        return
    x = c.value(o.inputs[0])
    is_flattened = len(target) == 2 and c.feeds_only(o.outputs[0], "FULLY_CONNECTED")
    if not is_flattened and not _is_free(source):
        x = c.layer(o, "Transpose", x, perm=_TO_NHWC)
    c.finish(o, [reshaped(c, o, x, target)])


def reshaped(c: Conversion, o: Operator, x: Value, target: Shape) -> Value:
    """`x`, whose elements are in TFLite's order, as the value of a tensor of shape `target`."""
    if len(target) == 2:
        return c.layer(o, "Flatten", x) if len(x.shape) > 1 else x
    if _is_free(target):
        return c.layer(o, "Reshape", x, shape=(0, *onnx_order(target)[1:]))
    return c.layer(o, "Transpose", c.layer(o, "Reshape", x, shape=(0, *target[1:])), perm=_TO_NCHW)


def _is_free(shape: Shape) -> bool:
    """Whether the elements stand in the same order in both layouts."""
    return len(shape) != 4 or shape[3] == 1 or shape[1] * shape[2] == 1


def transpose(c: Conversion, o: Operator) -> None:
    """Axes in another order."""
    perm = c.integers(o.inputs[1])
    rank = len(perm)
    moved = tuple(onnx_axis(axis, rank) for axis in onnx_order(perm))
    c.finish(o, [c.layer(o, "Transpose", c.value(o.inputs[0]), perm=moved)])


def concat(c: Conversion, o: Operator) -> None:
    """Values side by side."""
    axis: Any = o.options["axis"]
    axis = onnx_axis(axis, len(c.shape(o.outputs[0])))
    c.finish(o, [c.layer(o, "Concat", *[c.value(number) for number in o.inputs], axis=axis)])


def split(value: int, position: int) -> Callable[[Conversion, Operator], None]:
    """A split of the input `value` along the axis that the input at `position` names."""

    def convert(c: Conversion, o: Operator) -> None:
        source = c.shape(o.inputs[value])
        axis = c.integers(o.inputs[position])[0] % len(source)
        sizes = tuple(c.shape(number)[axis] for number in o.outputs)
        parts = c.builder.layers(
            "Split",
            c.value(o.inputs[value]),
            name=o.name.lower(),
            axis=onnx_axis(axis, len(source)),
            split=sizes,
        )
        c.finish(o, parts)

    return convert


def pad(c: Conversion, o: Operator) -> None:
    """Zeros, or the value of a third input, around the axes."""
    flat = c.integers(o.inputs[1])
    pads = (*onnx_order(flat[::2]), *onnx_order(flat[1::2]))
    value = _number(c, o.inputs[2]) if len(o.inputs) > 2 else 0.0
    c.finish(o, [c.layer(o, "Pad", c.value(o.inputs[0]), pads=pads, constant_value=value)])


def _number(c: Conversion, number: int) -> float:
    content, quantisation = c.file.constants.get(number), c.file.quantisations.get(number)
    if content is None:
        raise ValueError("a number that must be constant")
    if quantisation is None:
        return float(content.ravel()[0])
    return float((int(content.ravel()[0]) - quantisation.zero_point) * np.float64(quantisation.scales[0]))


def fill(c: Conversion, o: Operator) -> None:
    """One number everywhere."""
    shape = (0, *onnx_order(c.shape(o.outputs[0]))[1:])
    c.finish(o, [c.layer(o, "ConstantOfShape", shape=shape, value=_number(c, o.inputs[1]))])


def strided_slice(c: Conversion, o: Operator) -> None:
    """A part of each axis; axes of one position may vanish."""
    shape = c.shape(o.inputs[0])
    begin, end, strides = (c.integers(o.inputs[position]) for position in (1, 2, 3))
    masks: Any = o.options
    bounds = []
    for axis, size in enumerate(shape):
        first = None if masks["begin_mask"] >> axis & 1 else begin[axis]
        last = None if masks["end_mask"] >> axis & 1 else end[axis]
        step = strides[axis]
        if masks["shrink_axis_mask"] >> axis & 1:
            first, last, step = begin[axis] % size, begin[axis] % size + 1, 1
        bounds.append((onnx_axis(axis, len(shape)), *slice(first, last, step).indices(size)))
    if bounds[0] != (0, 0, 1, 1):
        raise ValueError("a slice of the batch")
    axes, starts, ends, steps = (tuple(row) for row in zip(*bounds[1:], strict=True))
    ends = tuple(stop if stop >= 0 else -(2**31) for stop in ends)
    made = c.layer(o, "Slice", c.value(o.inputs[0]), axes=axes, starts=starts, ends=ends, steps=steps)
    gone = [axis for axis in range(len(shape)) if masks["shrink_axis_mask"] >> axis & 1]
    if gone:
        made = c.layer(o, "Squeeze", made, axes=tuple(onnx_axis(axis, len(shape)) for axis in gone))
        made = _in_order(c, o, made, gone, len(shape))
    c.finish(o, [made])


def _in_order(c: Conversion, o: Operator, made: Value, gone: Sequence[int], rank: int) -> Value:
    """The remaining axes of a value that has lost TFLite's axes `gone`, in TFLite's order."""
    kept = [axis for axis in range(rank) if axis not in gone]
    ours = sorted(kept, key=lambda axis: onnx_axis(axis, rank))
    return made if ours == kept else c.layer(o, "Transpose", made, perm=tuple(map(ours.index, kept)))


def reduce(op: str) -> Callable[[Conversion, Operator], None]:
    """A reduction over axes; a mean over whole maps is global pooling."""

    def convert(c: Conversion, o: Operator) -> None:
        x, rank = c.value(o.inputs[0]), len(c.shape(o.inputs[0]))
        gone = sorted({axis % rank for axis in c.integers(o.inputs[1])})
        axes = tuple(onnx_axis(axis, rank) for axis in gone)
        if op == "ReduceMean" and (rank, gone) == (4, [1, 2]):
            mean = c.layer(o, "GlobalAveragePool", x)
            c.finish(o, [mean if o.options["keep_dims"] else c.layer(o, "Flatten", mean)])
            return
        made = c.layer(o, op, x, axes=axes, keepdims=int(bool(o.options["keep_dims"])))
        c.finish(o, [made if o.options["keep_dims"] else _in_order(c, o, made, gone, rank)])

    return convert


def resize(mode: str) -> Callable[[Conversion, Operator], None]:
    """Maps of another size, interpolated as `mode` says."""

    def convert(c: Conversion, o: Operator) -> None:
        x = c.value(o.inputs[0])
        names = {"align_corners": "align_corners", "half_pixel_centers": "half_pixel"}
        where = next((name for option, name in names.items() if o.options[option]), "asymmetric")
        sizes = (0, x.shape[0], *c.integers(o.inputs[1]))
        nearest = "round_prefer_ceil" if where == "align_corners" else "floor"
        made = c.layer(
            o,
            "Resize",
            x,
            sizes=sizes,
            mode=mode,
            coordinate_transformation_mode=where,
            nearest_mode=nearest,
        )
        c.finish(o, [made])

    return convert


def blocks(op: str) -> Callable[[Conversion, Operator], None]:
    """Channels to blocks of pixels, or the other way round."""

    def convert(c: Conversion, o: Operator) -> None:
        c.finish(o, [c.layer(o, op, c.value(o.inputs[0]), blocksize=o.options["block_size"])])

    return convert
