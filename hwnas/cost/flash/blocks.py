"""Flash of a network of blocks, each block looked at once however many networks call it."""

from __future__ import annotations

from typing import NamedTuple

from hwnas.cost.flash.formats import Format, flash, get_format
from hwnas.cost.flash.tflite_structure import name_bytes, tensor_structure
from hwnas.cost.parts import separate_blocks
from hwnas.network.liveness import live_items
from hwnas.network.network import Layer, Network, join
from hwnas.network.program import Tensor

_KNOWN, _PARTS = "_hwnas_flash", "_hwnas_flash_parts"
_FUSED = ("BatchNormalization", "Relu", "Clip")
_RENAMING = ("Dropout", "Flatten", "Reshape", "Squeeze")


class _Part(NamedTuple):
    """What a block adds: bytes without names, and of names for each length of its path modulo 4."""

    content: int
    tensors: int
    names: tuple[int, int, int, int]


def flash_bytes(network: Network, runtime: str) -> int:
    """All bytes of flash that `network` needs under `runtime`: the total of `flash`, and remembered.

    Raises:
        UnsupportedOperatorError: the network has an operator that TFLite lacks.
        ValueError: a runtime without a format of its own.
    """
    known: dict[str, int] = network.__dict__.setdefault(_KNOWN, {})
    if runtime not in known:
        blocks = _live_blocks(network)
        parts = [(path, _part(block, runtime)) for path, block in blocks or ()]
        if parts and all(part is not None for _, part in parts):
            known[runtime] = _sum(network, parts, get_format(runtime))  # type: ignore[arg-type]
        else:
            known[runtime] = flash(network, runtime).total_bytes
    return known[runtime]


def _sum(network: Network, parts: list[tuple[str, _Part]], found: Format) -> int:
    total = found.file_bytes + found.code
    for path, part in parts:
        # A name of n bytes and a path of p take ceil4(n + p) = ceil4(n + p % 4) + p - p % 4.
        length = len(path.encode()) + 1
        total += part.content + part.names[length % 4] + part.tensors * (length - length % 4)
    return total + (_input_bytes(network, with_names=True) if found.has_names else 0)


def _live_blocks(network: Network, prefix: str = "") -> list[tuple[str, Network]] | None:
    """The innermost blocks with their paths; None where anything else is live, or part of a block."""
    separate = separate_blocks(network)
    if separate and all(block.network.is_innermost for block in separate):
        return [(join(prefix, block.name), block.network) for block in separate]
    blocks: list[tuple[str, Network]] = []
    for item, reached, wanted in live_items(network).items:
        if isinstance(item, Layer) or not (all(reached) and all(wanted)):
            return None
        path = join(prefix, item.name)
        inner = [(path, item.network)] if item.network.is_innermost else _live_blocks(item.network, path)
        if inner is None:
            return None
        blocks += inner
    return blocks


def _part(block: Network, runtime: str) -> _Part | None:
    """What `block` adds; None where it may become something else among other blocks."""
    known: dict[str, _Part | None] = block.__dict__.setdefault(_PARTS, {})
    if runtime not in known:
        known[runtime] = _new_part(block, get_format(runtime)) if _is_closed(block) else None
    return known[runtime]


def _new_part(block: Network, found: Format) -> _Part:
    program = found.program(block)
    content = found.content(program).total_bytes
    if not found.has_names:
        return _Part(content, 0, (0, 0, 0, 0))
    own = [tensor.name for i, tensor in enumerate(program.tensors) if i not in program.inputs]
    zero, one, two, three = (sum([name_bytes(name + "." * more) for name in own]) for more in range(4))
    return _Part(content - _input_bytes(block, with_names=False), len(own), (zero, one, two, three))


def _is_closed(block: Network) -> bool:
    """Whether the block becomes the same operators alone and in any network.

    What it begins with may be fused into what comes before, and a renaming at its end may be free there.
    """
    inputs = {value.name for value in block.inputs}
    outputs = {value.name for value in block.outputs}
    return len(live_items(block).items) == len(block.items) and not any(
        (layer.op in _FUSED and layer.inputs[0] in inputs)
        or (layer.op in _RENAMING and layer.output.name in outputs)
        for layer in block.layers
    )


def _input_bytes(network: Network, *, with_names: bool) -> int:
    """Bytes of the tensors that are given to `network`."""
    tensors = [Tensor(value.name, (1, *value.shape)) for value in network.inputs]
    names = sum([name_bytes(tensor.name) for tensor in tensors]) if with_names else 0
    return names + sum([tensor_structure(tensor) + 12 * tensor.scales for tensor in tensors])
