"""The text of an elastic architecture: `r224-k3e4,k5e6-...`, the resolution and each stage's layers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

_LAYER = re.compile(r"k(\d+)e(\d+)")
_RESOLUTION = re.compile(r"r(\d+)")


class MBConv(NamedTuple):
    """What is decided of a layer."""

    kernel: int
    expansion: int

    def __str__(self) -> str:
        return f"k{self.kernel}e{self.expansion}"


def write_layers(resolution: int, stages: Sequence[Sequence[MBConv]]) -> str:
    """The text that `read_layers` reads."""
    return "-".join([f"r{resolution}", *(",".join(map(str, layers)) for layers in stages)])


def read_layers(text: str) -> tuple[int, list[list[MBConv]]]:
    """Resolution, and the layers of each stage; raises ValueError naming the part that is wrong."""
    first, *stages = text.strip().split("-")
    resolution = _RESOLUTION.fullmatch(first)
    if not resolution:
        raise ValueError(f"{first!r} in {text!r} must be a resolution, as in r224-k3e4,k5e6-...")
    return int(resolution[1]), [[_layer(layer, text) for layer in stage.split(",")] for stage in stages]


def _layer(layer: str, text: str) -> MBConv:
    match = _LAYER.fullmatch(layer)
    if not match:
        raise ValueError(f"{layer!r} in {text!r} must be a kernel and an expansion, as in k3e4")
    return MBConv(int(match[1]), int(match[2]))
