"""The few functions that take whatever a person has at hand: an architecture, a file, a module."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard

from hwnas.cost.count import NetworkCounts
from hwnas.cost.count import count as count_network
from hwnas.network.network import Network
from hwnas.spaces import Architecture

if TYPE_CHECKING:
    import onnx
    from torch import Tensor, nn

    from hwnas.cost.memory import MemoryPlan
    from hwnas.network.tflite import TfliteFile

    Source: TypeAlias = Network | Architecture | str | Path | nn.Module


def as_network(source: Source, example: Tensor | tuple[Tensor, ...] | None = None) -> Network:
    """The network of an architecture, an ONNX or .tflite file (by path) or a torch module.

    Args:
        source: what to read; a `Network` comes back as it is.
        example: input of a torch module, `[n, ...]`; its values do not matter.

    Raises:
        ValueError: the file cannot be read, a module comes without an example, or it is none of these.
    """
    if isinstance(source, Network):
        return source
    if isinstance(source, Architecture):
        return source.network
    if _is_tflite(source):
        from hwnas.network.tflite import from_tflite

        return from_tflite(source)
    if isinstance(source, (str, Path)):
        from hwnas.network.from_onnx import from_onnx

        return from_onnx(source)
    from hwnas.network.from_torch import from_torch

    if not callable(source):
        raise ValueError(
            f"a network, an architecture, the path of an .onnx or .tflite file or a torch module is needed, "
            f"not {source!r:.80}"
        )
    if example is None:
        raise ValueError("a torch module needs example=, an input tensor with a batch axis")
    return from_torch(source, example)


def count(source: Source, example: Tensor | tuple[Tensor, ...] | None = None) -> NetworkCounts:
    """MACs, FLOPs, parameters and activations, whole and live, and memory; arguments as `as_network`."""
    file = _tflite(source)
    if file is None:
        return count_network(as_network(source, example))
    return count_network(as_network(source, example), file.program, file.size_bytes)


def plan(source: Source, runtime: str = "tflm", **options: Any) -> MemoryPlan:
    """How a microcontroller's `runtime` uses its memory; a .tflite file is planned as it is numbered.

    Options as `hwnas.cost.memory.plan`; `example` as `as_network`.

    Raises:
        ValueError: as `as_network` and `hwnas.cost.memory.plan`.
    """
    from hwnas.cost.memory import plan as plan_memory

    example = options.pop("example", None)
    file = _tflite(source)
    return plan_memory(file.program if file else as_network(source, example), runtime, **options)


def to_tflite(source: Source, path: str | Path, **options: Any) -> bytes:
    """Write a network or an architecture as int8 .tflite; options as `hwnas.network.to_tflite.to_tflite`."""
    from hwnas.network.to_tflite import to_tflite as write

    return write(as_network(source), path, **options)


def _is_tflite(source: object) -> TypeGuard[str | Path]:
    return isinstance(source, (str, Path)) and Path(source).suffix.lower() == ".tflite"


def _tflite(source: Source) -> TfliteFile | None:
    """What a .tflite file holds; None for other sources."""
    if not _is_tflite(source):
        return None
    from hwnas.network.tflite import read_tflite

    return read_tflite(source)


def to_onnx(source: Source, path: str | Path, **options: Any) -> onnx.ModelProto:
    """Write a network or an architecture as ONNX; options as `hwnas.network.to_onnx.to_onnx`."""
    from hwnas.network.to_onnx import to_onnx as write

    return write(as_network(source), path, **options)
