"""What layers that move data or reduce it become."""

from __future__ import annotations

from typing import Any

from hwnas.network.network import Layer, Shape
from hwnas.network.program.layout import nhwc, nhwc_axis
from hwnas.network.program.lowering import Lower, Lowering
from hwnas.network.program.program import refused


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


def _depth_to_space(b: Lowering, layer: Layer) -> None:
    """TFLite takes the channels of a block first by depth (ONNX's DCR)."""
    if layer.attributes["mode"] != "DCR":
        raise refused(layer, "of mode CRD, as of a pixel shuffle, has no form in TFLite")
    size: Any = layer.attributes["blocksize"]
    b.layer(layer, "DEPTH_TO_SPACE", [b.number(layer.inputs[0])], options={"block_size": size})


MOVEMENT: dict[str, Lower] = {
    "DepthToSpace": _depth_to_space,
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
