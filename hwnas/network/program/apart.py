"""Networks whose blocks can be lowered one by one: what is known of a block is known once for all networks.

That is so where nothing is fused over the border of two blocks and nothing is dead. Search spaces hold few
different blocks and very many networks of them, so that memory, flash and instructions of a network become a
matter of microseconds.
"""

from __future__ import annotations

from hwnas.network.network import Block, Network

_FUSED_INTO_WHAT_IS_BEFORE = frozenset({"BatchNormalization", "Clip", "Relu"})
_TAKEN_WITH_WHAT_FOLLOWS = frozenset({"Pad", "Transpose"})
_RENAMING = frozenset({"Dropout", "Flatten", "Reshape", "Squeeze", "Unsqueeze"})
_GATES = frozenset({"HardSigmoid"})
_BLOCKS, _SEPARATE = "_hwnas_separate_blocks", "_hwnas_is_separate"


def separate_blocks(network: Network) -> tuple[Block, ...] | None:
    """The blocks of `network` in order, where it consists of blocks that can be lowered apart; else None."""
    if _BLOCKS not in network.__dict__:
        network.__dict__[_BLOCKS] = _find_separate_blocks(network)
    found: tuple[Block, ...] | None = network.__dict__[_BLOCKS]
    return found


def _find_separate_blocks(network: Network) -> tuple[Block, ...] | None:
    read: set[str] = {value.name for value in network.outputs}
    for item in network.items:
        if not isinstance(item, Block) or not _is_separate(item.network):
            return None
        read.update(item.inputs)
    made = [value.name for item in network.items for value in item.outputs]
    if not made or not read.issuperset(made) or not read.issuperset(v.name for v in network.inputs):
        return None
    return network.items  # type: ignore[return-value]


def _is_separate(block: Network) -> bool:
    """Whether nothing in the block is fused with what is outside, and nothing in it is dead; remembered."""
    found: bool | None = block.__dict__.get(_SEPARATE)
    if found is None:
        found = block.__dict__[_SEPARATE] = _find_separate(block)
    return found


def _find_separate(block: Network) -> bool:
    inputs = {value.name for value in block.inputs}
    outputs = {value.name for value in block.flat_outputs}
    read = {name for layer in block.layers for name in layer.inputs}
    if inputs & outputs or len(outputs) < len(block.outputs) or not inputs <= read:
        return False
    if block.live is not block:
        return False
    at_start = _FUSED_INTO_WHAT_IS_BEFORE | _RENAMING
    at_end = _TAKEN_WITH_WHAT_FOLLOWS | _RENAMING | _GATES
    return not any(
        (layer.op in at_start and not inputs.isdisjoint(layer.inputs))
        or (layer.op in at_end and any(value.name in outputs for value in layer.outputs))
        for layer in block.layers
    )
