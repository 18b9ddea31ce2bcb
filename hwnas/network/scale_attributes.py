"""What becomes of attributes that hold sizes when the input of a layer changes its shape.

One short function per operator, from the attributes and the input's shape before and after to the attributes
that change. A size that has no whole counterpart is a ValueError.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from hwnas.network.network import Shape

Attributes: TypeAlias = Mapping[str, Any]


def proportional(size: int, before: int, after: int) -> int:
    """`size * after / before`; raises ValueError where that is no whole number."""
    if size * after % before:
        raise ValueError(f"{size} of {before} has no counterpart in {after}")
    return size * after // before


def reshaped(before: Shape, target: Shape, after: Shape) -> Shape:
    """What `target` becomes, to which `before` was reshaped, now that the input is `after`.

    Axes are matched in runs of equal products. A run that is split keeps its leading sizes (groups, heads)
    and changes its last one.
    """
    result: list[int] = []
    i = j = 0
    while i < len(before) or j < len(target):
        start, first = i, j
        left, right = math.prod(before[i : i + 1]), math.prod(target[j : j + 1])
        i, j = i + 1, j + 1
        while left != right:
            if left < right:
                left, i = left * before[i], i + 1
            else:
                right, j = right * target[j], j + 1
        lead, total = target[first : j - 1], math.prod(after[start:i])
        if total % math.prod(lead):
            raise ValueError(f"{total} does not divide into {target[first:j]}")
        if first < len(target):
            result += [*lead, total // math.prod(lead)]
    return tuple(result)


def _reshape(a: Attributes, before: Shape, after: Shape) -> dict[str, Any]:
    return {"shape": (0, *reshaped(before, a["shape"][1:], after))}


def _expand(a: Attributes, before: Shape, after: Shape) -> dict[str, Any]:
    target = a["shape"][1:]
    if before != after and any(size != aim for size, aim in zip(before, target, strict=True)):
        raise ValueError(f"it repeats {before} to {target}, and nothing tells how often it should now")
    return {"shape": (0, *after)} if before != after else {}


def _split(a: Attributes, before: Shape, after: Shape) -> dict[str, Any]:
    axis = a["axis"] - 1
    return {"split": tuple(proportional(size, before[axis], after[axis]) for size in a["split"])}


def _slice(a: Attributes, before: Shape, after: Shape) -> dict[str, Any]:
    ends = []
    for axis, start, end, step in zip(a["axes"], a["starts"], a["ends"], a["steps"], strict=True):
        was, now = before[axis - 1], after[axis - 1]
        to_the_end = step > 0 and 0 <= start < now and end >= was
        if was != now and not to_the_end:
            raise ValueError(f"it cuts out a part of axis {axis}, whose size changes")
        ends.append(end if was == now else now)
    return {"ends": tuple(ends)}


def _pad(a: Attributes, before: Shape, after: Shape) -> dict[str, Any]:
    rank = len(before) + 1
    if before[0] != after[0] and (a["pads"][1] or a["pads"][rank + 1]):
        raise ValueError("it pads the channels, whose number changes")
    return {}


def _resize(a: Attributes, before: Shape, after: Shape) -> dict[str, Any]:
    if "sizes" not in a:
        return {}
    sizes = zip(a["sizes"][1:], before, after, strict=True)
    return {"sizes": (0, *(proportional(size, was, now) for size, was, now in sizes))}


ATTRIBUTES: dict[str, Callable[[Attributes, Shape, Shape], dict[str, Any]]] = {
    "Reshape": _reshape,
    "Expand": _expand,
    "Split": _split,
    "Slice": _slice,
    "Pad": _pad,
    "Resize": _resize,
}
