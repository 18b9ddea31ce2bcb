"""The few functions that take whatever a person has at hand: an architecture, a file, a module."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from hwnas.cost.count import NetworkCounts
from hwnas.cost.count import count as count_network
from hwnas.network.network import Network
from hwnas.spaces import Architecture

if TYPE_CHECKING:
    import onnx
    from torch import Tensor, nn

    Source: TypeAlias = Network | Architecture | str | Path | nn.Module


def as_network(source: Source, example: Tensor | tuple[Tensor, ...] | None = None) -> Network:
    """The network of an architecture, an ONNX file (by path) or a torch module.

    Args:
        source: what to read; a `Network` comes back as it is.
        example: input of a torch module, `[n, ...]`; its values do not matter.

    Raises:
        ValueError: the file cannot be read, or a module comes without an example.
    """
    if isinstance(source, Network):
        return source
    if isinstance(source, Architecture):
        return source.network
    if isinstance(source, (str, Path)):
        from hwnas.network.from_onnx import from_onnx

        return from_onnx(source)
    from hwnas.network.from_torch import from_torch

    if example is None:
        raise ValueError("a torch module needs example=, an input tensor with a batch axis")
    return from_torch(source, example)


def count(source: Source, example: Tensor | tuple[Tensor, ...] | None = None) -> NetworkCounts:
    """MACs, FLOPs, parameters and activations, whole and live; arguments as `as_network`."""
    return count_network(as_network(source, example))


def to_onnx(source: Source, path: str | Path, **options: Any) -> onnx.ModelProto:
    """Write a network or an architecture as ONNX; options as `hwnas.network.to_onnx.to_onnx`."""
    from hwnas.network.to_onnx import to_onnx as write

    return write(as_network(source), path, **options)
