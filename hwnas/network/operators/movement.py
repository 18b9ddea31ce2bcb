"""Shapes of what moves data without arithmetic, and of reductions and interpolation."""

from __future__ import annotations

import math
from typing import Any

from hwnas.network.network import Shape
from hwnas.network.operators.registry import Attributes, Shapes, broadcast, inner, operator, require


@operator("Concat")
def _concat(a: Attributes, shapes: Shapes) -> list[Shape]:
    # [c1, h, w], [c2, h, w] -> [c1 + c2, h, w]
    axis, first = inner(a["axis"]), shapes[0]
    require(axis < len(first), f"axis {a['axis']} of {len(first) + 1}")
    rest = {shape[:axis] + shape[axis + 1 :] for shape in shapes}
    require(len(rest) == 1, "the other axes differ")
    return [(*first[:axis], sum(shape[axis] for shape in shapes), *first[axis + 1 :])]


def _spell_split(full: dict[str, Any], shapes: Shapes) -> None:
    parts = full.pop("num_outputs", None)
    if not full.get("split"):
        total = shapes[0][inner(full["axis"])]
        require(parts is not None and 0 < parts <= total, f"{total} in {parts} parts")
        size = math.ceil(total / parts)
        full["split"] = (size,) * (parts - 1) + (total - size * (parts - 1),)


@operator("Split", defaults={"axis": 0}, attribute_inputs={1: "split"}, spell=_spell_split)
def _split(a: Attributes, shapes: Shapes) -> list[Shape]:
    # [c, h, w] -> [c1, h, w], [c2, h, w], ...
    axis, shape = inner(a["axis"]), shapes[0]
    require(sum(a["split"]) == shape[axis], f"parts {a['split']} of {shape[axis]}")
    return [(*shape[:axis], size, *shape[axis + 1 :]) for size in a["split"]]


def _spell_slice(full: dict[str, Any], shapes: Shapes) -> None:
    """Name axes and steps, keep bounds inside the axis, and leave out what takes the whole batch."""
    axes = full.get("axes") or tuple(range(len(full["starts"])))
    steps = full.get("steps") or (1,) * len(axes)
    bounds = []
    for axis, start, end, step in sorted(zip(axes, full["starts"], full["ends"], steps, strict=True)):
        if axis == 0 and (start, step) == (0, 1) and end >= 2**31 - 1:
            continue
        size = shapes[0][inner(axis)]
        first, stop, _ = slice(start, end, step).indices(size)
        bounds.append((axis, first, stop if stop >= 0 else -size - 1, step))
    for position, name in enumerate(("axes", "starts", "ends", "steps")):
        full[name] = tuple(bound[position] for bound in bounds)
    require(len(set(full["axes"])) == len(bounds), f"axes {axes} name one axis twice")


@operator("Slice", attribute_inputs={1: "starts", 2: "ends", 3: "axes", 4: "steps"}, spell=_spell_slice)
def _slice(a: Attributes, shapes: Shapes) -> list[Shape]:
    # [c, h, w] -> [c', h', w']
    shape = list(shapes[0])
    for axis, start, end, step in zip(a["axes"], a["starts"], a["ends"], a["steps"], strict=True):
        shape[axis - 1] = len(range(*slice(start, end, step).indices(shape[axis - 1])))
    return [tuple(shape)]


def _spell_reshape(full: dict[str, Any], shapes: Shapes) -> None:
    """Replace 0 (as in the input) and -1 (what is left) of the target by sizes."""
    require(full["shape"][:1] == (0,), "the first axis of the target must stay the batch (0)")
    source, target = shapes[0], full["shape"][1:]
    sizes = [source[i] if size == 0 else size for i, size in enumerate(target)]
    total = math.prod(source)
    if -1 in sizes:
        known = -math.prod(sizes)
        require(known > 0 and total % known == 0, f"{total} elements do not divide into {target}")
        sizes[sizes.index(-1)] = total // known
    require(all(size > 0 for size in sizes) and math.prod(sizes) == total, f"{total} elements into {target}")
    full["shape"] = (0, *sizes)


@operator("Reshape", attribute_inputs={1: "shape"}, spell=_spell_reshape)
def _reshape(a: Attributes, shapes: Shapes) -> list[Shape]:
    # [...] -> shape[1:], where shape[0] is 0: the batch as it is
    return [a["shape"][1:]]


@operator("Flatten", defaults={"axis": 1})
def _flatten(a: Attributes, shapes: Shapes) -> list[Shape]:
    # [c, h, w] -> [c*h*w]
    require(a["axis"] == 1, "only axis 1 keeps the batch")
    return [(math.prod(shapes[0]),)]


@operator("Transpose")
def _transpose(a: Attributes, shapes: Shapes) -> list[Shape]:
    # [c, h, w] -> permuted
    require(a["perm"][0] == 0, "the batch must stay the first axis")
    require(sorted(a["perm"]) == list(range(len(shapes[0]) + 1)), f"perm {a['perm']} is no permutation")
    return [tuple(shapes[0][axis - 1] for axis in a["perm"][1:])]


def _spell_squeeze(full: dict[str, Any], shapes: Shapes) -> None:
    if "axes" not in full:
        full["axes"] = tuple(i for i, size in enumerate(shapes[0], start=1) if size == 1)
    full["axes"] = tuple(sorted(set(full["axes"])))


@operator("Squeeze", attribute_inputs={1: "axes"}, spell=_spell_squeeze)
def _squeeze(a: Attributes, shapes: Shapes) -> list[Shape]:
    # [c, 1, 1] -> [c]
    gone = {inner(axis) for axis in a["axes"]}
    require(all(shapes[0][axis] == 1 for axis in gone), f"axes {a['axes']} are not all of size 1")
    return [tuple(size for i, size in enumerate(shapes[0]) if i not in gone)]


def _spell_unsqueeze(full: dict[str, Any], shapes: Shapes) -> None:
    full["axes"] = tuple(sorted(full["axes"]))


@operator("Unsqueeze", attribute_inputs={1: "axes"}, spell=_spell_unsqueeze)
def _unsqueeze(a: Attributes, shapes: Shapes) -> list[Shape]:
    # [c] -> [c, 1, 1]
    shape = list(shapes[0])
    require(len(set(a["axes"])) == len(a["axes"]), f"axes {a['axes']} name one axis twice")
    for axis in a["axes"]:
        require(inner(axis) <= len(shape), f"axes {a['axes']} leave a gap")
        shape.insert(inner(axis), 1)
    return [tuple(shape)]


def _spell_expand(full: dict[str, Any], shapes: Shapes) -> None:
    require(full["shape"][:1] == (0,), "the first axis of the target must stay the batch (0)")
    full["shape"] = (0, *broadcast(shapes[0], full["shape"][1:]))


@operator("Expand", attribute_inputs={1: "shape"}, spell=_spell_expand)
def _expand(a: Attributes, shapes: Shapes) -> list[Shape]:
    # [c, 1, 1] -> [c, h, w]
    require(len(a["shape"]) == len(shapes[0]) + 1, "a target of higher rank would mix the batch")
    return [a["shape"][1:]]


def _spell_pad(full: dict[str, Any], shapes: Shapes) -> None:
    """Give both ends of every axis."""
    rank, pads = len(shapes[0]) + 1, full["pads"]
    axes = full.pop("axes", None) or tuple(range(rank))
    require(len(pads) == 2 * len(axes) and len(set(axes)) == len(axes), f"pads {pads} for axes {axes}")
    both = [0] * (2 * rank)
    for position, axis in enumerate(axes):
        both[axis], both[rank + axis] = pads[position], pads[len(axes) + position]
    full["pads"] = tuple(both)
    if full["mode"] == "constant":
        full["constant_value"] = float(full.get("constant_value", 0.0))


@operator(
    "Pad",
    defaults={"mode": "constant"},
    attribute_inputs={1: "pads", 2: "constant_value", 3: "axes"},
    spell=_spell_pad,
)
def _pad(a: Attributes, shapes: Shapes) -> list[Shape]:
    # [c, h, w] -> [c + ., h + ., w + .]
    rank = len(shapes[0]) + 1
    require(a["pads"][0] == a["pads"][rank] == 0, "the batch cannot be padded")
    return [tuple(size + a["pads"][i] + a["pads"][rank + i] for i, size in enumerate(shapes[0], start=1))]


def _spell_reduce(full: dict[str, Any], shapes: Shapes) -> None:
    full["axes"] = tuple(sorted(set(full["axes"])))


@operator("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL2",
          defaults={"keepdims": 1}, attribute_inputs={1: "axes"}, spell=_spell_reduce)  # fmt: skip
def _reduce(a: Attributes, shapes: Shapes) -> list[Shape]:
    # [c, h, w] -> [c, 1, 1] or [c]
    axes = {inner(axis) for axis in a["axes"]}
    require(bool(axes) and max(axes) < len(shapes[0]), f"axes {a['axes']}")
    if a["keepdims"]:
        return [tuple(1 if i in axes else size for i, size in enumerate(shapes[0]))]
    return [tuple(size for i, size in enumerate(shapes[0]) if i not in axes)]


def _spell_resize(full: dict[str, Any], shapes: Shapes) -> None:
    """Give sizes, or else scales, for every axis."""
    rank = len(shapes[0]) + 1
    axes = full.pop("axes", None) or tuple(range(rank))
    name, unchanged = ("sizes", (0, *shapes[0])) if full.get("sizes") else ("scales", (1.0,) * rank)
    full.pop("scales" if name == "sizes" else "sizes", None)
    given = dict(zip(axes, full[name], strict=True))
    full[name] = tuple(given.get(axis, unchanged[axis]) for axis in range(rank))
    require(full[name][0] == unchanged[0], "the batch cannot be resized")


@operator("Resize", defaults={"mode": "nearest", "coordinate_transformation_mode": "half_pixel",
                              "nearest_mode": "round_prefer_floor"},
          attribute_inputs={2: "scales", 3: "sizes"}, spell=_spell_resize)  # fmt: skip
def _resize(a: Attributes, shapes: Shapes) -> list[Shape]:
    # [c, h, w] -> [c, h', w']
    require(len(a.get("sizes") or a["scales"]) == len(shapes[0]) + 1, "a size for every axis expected")
    if "sizes" in a:
        return [a["sizes"][1:]]
    return [tuple(math.floor(size * scale) for size, scale in zip(shapes[0], a["scales"][1:], strict=True))]


@operator("DepthToSpace", defaults={"mode": "DCR"})
def _depth_to_space(a: Attributes, shapes: Shapes) -> list[Shape]:
    # [c*b*b, h, w] -> [c, h*b, w*b]
    (c, h, w), b = shapes[0], a["blocksize"]
    require(b > 0 and c % (b * b) == 0, f"{c} channels in blocks of {b}")
    return [(c // (b * b), h * b, w * b)]


@operator("SpaceToDepth")
def _space_to_depth(a: Attributes, shapes: Shapes) -> list[Shape]:
    # [c, h*b, w*b] -> [c*b*b, h, w]
    (c, h, w), b = shapes[0], a["blocksize"]
    require(b > 0 and h % b == 0 and w % b == 0, f"{h}x{w} in blocks of {b}")
    return [(c * b * b, h // b, w // b)]


@operator("ConstantOfShape", defaults={"value": 0.0}, attribute_inputs={0: "shape"})
def _constant_of_shape(a: Attributes, shapes: Shapes) -> list[Shape]:
    # -> shape[1:], where shape[0] is 0: the batch of the input
    require(a["shape"][:1] == (0,), "the first axis must be the batch (0)")
    return [a["shape"][1:]]
