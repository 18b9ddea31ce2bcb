"""Which tensors the candidates of a block share, and which part of them each candidate has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from hwnas.network.network import Layer, Network, Parameter, Shape

Cut = tuple[slice, ...]


class Whole(NamedTuple):
    """A tensor that candidates share: the one of this name of the candidate of this number."""

    candidate: int
    name: str


class Part(NamedTuple):
    """Where a candidate's tensor lies in a shared one: the number of that, and what is cut out of it."""

    whole: int
    cut: Cut


@dataclass(frozen=True)
class Sharing:
    """How the candidates of a block share their trainable tensors.

    Attributes:
        wholes: the shared tensors, each the largest of those that are parts of it.
        parts: by candidate and name of the tensor.
    """

    wholes: tuple[Whole, ...]
    parts: Mapping[int, Mapping[str, Part]]


def crop(shape: Shape, whole: Shape) -> Cut:
    """The part of that shape: the first output and input channels, and the centre of a kernel.

    Cai et al., "Once-for-All", ICLR 2020, section 3.3, without the transformation of the smaller kernels.
    """
    channels = [slice(0, size) for size in shape[:2]]
    starts = [(size - part) // 2 for part, size in zip(shape[2:], whole[2:], strict=True)]
    kernel = [slice(start, start + part) for start, part in zip(starts, shape[2:], strict=True)]
    return (*channels, *kernel)


def sharing(candidates: Mapping[int, Network]) -> Sharing:
    """Tensors of one name share where layers are alike but for channels and kernel, and one fits in another.

    A depthwise convolution is like every other one; otherwise the number of groups must be equal.

    Args:
        candidates: by number.
    """
    wholes: dict[tuple[Any, ...], list[tuple[int, Shape]]] = {}
    origins: list[Whole] = []
    parts: dict[int, dict[str, Part]] = {number: {} for number in candidates}
    tensors = [
        (number, kind, parameter)
        for number, network in candidates.items()
        for kind, parameter in _tensors(network)
    ]
    for number, kind, parameter in sorted(tensors, key=lambda one: -one[2].size):
        known = wholes.setdefault(kind, [])
        found = next((one for one in known if _fits(parameter.shape, one[1])), None)
        if found is None:
            found = (len(origins), parameter.shape)
            known.append(found)
            origins.append(Whole(number, parameter.name))
        parts[number][parameter.name] = Part(found[0], crop(parameter.shape, found[1]))
    return Sharing(tuple(origins), parts)


def _fits(shape: Shape, whole: Shape) -> bool:
    return len(shape) == len(whole) and all(part <= size for part, size in zip(shape, whole, strict=True))


def _tensors(network: Network) -> Iterator[tuple[tuple[Any, ...], Parameter]]:
    """The trainable parameters, each with what those must have in common that share a tensor."""
    for layer in network.layers:
        for name in layer.inputs:
            parameter = network.parameters.get(name)
            if parameter is not None and parameter.trainable:
                yield (name, layer.op, _groups(layer, parameter)), parameter


def _groups(layer: Layer, parameter: Parameter) -> object:
    groups = layer.attributes.get("group", 1)
    return "depthwise" if groups == parameter.shape[0] > 1 else groups
