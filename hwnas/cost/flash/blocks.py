"""Flash of a network of blocks, each block looked at once however many networks call it."""

from __future__ import annotations

from typing import NamedTuple

from hwnas.cost.flash.formats import Format, flash, get_format
from hwnas.cost.flash.tflite_structure import name_bytes, tensor_structure
from hwnas.network.network import Network
from hwnas.network.program import Tensor
from hwnas.network.program.apart import separate_blocks

_KNOWN, _PARTS = "_hwnas_flash", "_hwnas_flash_parts"


class _Part(NamedTuple):
    """What a block adds.

    Attributes:
        content: bytes without names and kinds.
        tensors: how many have names in it.
        names: bytes of these, for each length of the block's path modulo 4.
        kinds: of its operators.
    """

    content: int
    tensors: int
    names: tuple[int, int, int, int]
    kinds: frozenset[str]


def flash_bytes(network: Network, runtime: str) -> int:
    """All bytes of flash that `network` needs under `runtime`: the total of `flash`, and remembered.

    Raises:
        UnsupportedOperatorError: the network has an operator that TFLite lacks.
        ValueError: a runtime without a format of its own.
    """
    known: dict[str, int] = network.__dict__.setdefault(_KNOWN, {})
    if runtime not in known:
        blocks = separate_blocks(network)
        if blocks is None:
            known[runtime] = flash(network, runtime).total_bytes
        else:
            parts = [(block.name, _part(block.network, runtime)) for block in blocks]
            known[runtime] = _sum(network, parts, get_format(runtime))
    return known[runtime]


def _sum(network: Network, parts: list[tuple[str, _Part]], found: Format) -> int:
    total = found.file_bytes + found.code
    for path, part in parts:
        # A name of n bytes and a path of p take ceil4(n + p) = ceil4(n + p % 4) + p - p % 4.
        length = len(path.encode()) + 1
        total += part.content + part.names[length % 4] + part.tensors * (length - length % 4)
    kinds = frozenset().union(*[part.kinds for _, part in parts])
    total += found.kind_bytes * len(kinds)
    return total + (_input_bytes(network, with_names=True) if found.has_names else 0)


def _part(block: Network, runtime: str) -> _Part:
    """What `block` adds, remembered with it."""
    known: dict[str, _Part] = block.__dict__.setdefault(_PARTS, {})
    if runtime not in known:
        known[runtime] = _new_part(block, get_format(runtime))
    return known[runtime]


def _new_part(block: Network, found: Format) -> _Part:
    program = found.program(block)
    content = found.content(program).total_bytes
    if not found.has_names:
        return _Part(content, 0, (0, 0, 0, 0), frozenset())
    own = [tensor.name for i, tensor in enumerate(program.tensors) if i not in program.inputs]
    zero, one, two, three = (sum([name_bytes(name + "." * more) for name in own]) for more in range(4))
    kinds = frozenset({operator.kind for operator in program.operators})
    return _Part(content - _input_bytes(block, with_names=False), len(own), (zero, one, two, three), kinds)


def _input_bytes(network: Network, *, with_names: bool) -> int:
    """Bytes of the tensors that are given to `network`."""
    tensors = [Tensor(value.name, (1, *value.shape)) for value in network.inputs]
    names = sum([name_bytes(tensor.name) for tensor in tensors]) if with_names else 0
    return names + sum([tensor_structure(tensor) + 12 * tensor.scales for tensor in tensors])
