"""Which kernel each node of a runtime's profile belongs to, and how long the kernels took."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from hwnas.latency.devices.device import Profile
from hwnas.network.network import Layer

Floats = NDArray[np.float64]

_SUFFIX = re.compile(r"(_bn)?(_nchwc)?(_token_\d+)?$")


def kernel_times(
    profile: Profile, kernels: Sequence[tuple[Layer, ...]], done_by: Mapping[str, str]
) -> Floats:
    """Microseconds of each kernel in each run, (runs, kernels).

    A node has the name of the last layer that was fused into it. What a runtime adds under names of its
    own is charged to a neighbour in the order of execution: a decomposed layer to the kernel that has no
    other node, a change of layout to the kernel that needed it.

    Args:
        profile: of the network.
        kernels: the network's, from `hwnas.latency.kernels.fusion`.
        done_by: layers that another layer stands for.

    Raises:
        ValueError: the profile has no names of the network's layers.
    """
    owner = {layer.name: number for number, kernel in enumerate(kernels) for layer in kernel}
    owner.update((name, owner[kept]) for name, kept in done_by.items() if kept in owner)
    named = [_owner(node, owner) for node in profile.nodes]
    if all(number is None for number in named):
        raise ValueError(f"the runtime's profile names none of the network's layers: {profile.nodes[:3]}")
    times = np.zeros((len(profile.times_us), len(kernels)))
    for node, number in enumerate(_charged(named, len(kernels))):
        times[:, number] += profile.times_us[:, node]
    return times


def _owner(node: str, owner: Mapping[str, int]) -> int | None:
    """The kernel of a node by its name, with or without what onnxruntime appends to it."""
    if node in owner:
        return owner[node]
    bare = _SUFFIX.sub("", node)
    return owner.get(bare, owner.get(node.removesuffix("_nchwc")))


def _charged(named: Sequence[int | None], kernels: int) -> list[int]:
    """A kernel for every node: its own, or a neighbour's."""
    idle = set(range(kernels)).difference(number for number in named if number is not None)
    charged: list[int] = []
    before = -1
    for place, number in enumerate(named):
        if number is not None:
            charged.append(number)
            before = number
            continue
        after = next((other for other in named[place:] if other is not None), None)
        between = [k for k in idle if before < k and (after is None or k < after)]
        charged.append(min(between) if between else before if after is None else after)
    return charged
