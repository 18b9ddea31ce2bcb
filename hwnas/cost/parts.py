"""Networks whose blocks can be lowered one by one: what is known of a block is known once for all networks.

That is so where nothing is fused over the border of two blocks. Search spaces hold few different blocks and
very many networks of them, so this makes the memory of a network a matter of microseconds.
"""

from __future__ import annotations

from hwnas.network.network import Block, Network

_FUSED_INTO_WHAT_IS_BEFORE = frozenset({"BatchNormalization", "Clip", "Dropout", "Relu"})
_FUSED_INTO_WHAT_FOLLOWS = frozenset({"Dropout", "Flatten", "Pad", "Reshape", "Squeeze", "Transpose"})
_BLOCKS, _CLOSED = "_hwnas_separate_blocks", "_hwnas_is_closed"


def separate_blocks(network: Network) -> tuple[Block, ...] | None:
    """The blocks of `network` in order, where it consists of blocks that can be lowered apart; else None."""
    if _BLOCKS not in network.__dict__:
        network.__dict__[_BLOCKS] = _find_separate_blocks(network)
    found: tuple[Block, ...] | None = network.__dict__[_BLOCKS]
    return found


def _find_separate_blocks(network: Network) -> tuple[Block, ...] | None:
    read: set[str] = {value.name for value in network.outputs}
    for item in network.items:
        if not isinstance(item, Block) or not _is_closed(item.network):
            return None
        read.update(item.inputs)
    if not all(value.name in read for item in network.items for value in item.outputs):
        return None
    if not all(value.name in read for value in network.inputs):
        return None
    return network.items  # type: ignore[return-value]


def _is_closed(block: Network) -> bool:
    """Whether nothing in the block is fused with what is outside, and nothing in it is dead."""
    found: bool | None = block.__dict__.get(_CLOSED)
    if found is None:
        found = block.__dict__[_CLOSED] = _find_closed(block)
    return found


def _find_closed(block: Network) -> bool:
    inputs = {value.name for value in block.inputs}
    outputs = {value.name for value in block.flat_outputs}
    if block.live is not block or inputs & outputs or len(outputs) < len(block.outputs):
        return False
    return not any(
        (layer.op in _FUSED_INTO_WHAT_IS_BEFORE and not inputs.isdisjoint(layer.inputs))
        or (layer.op in _FUSED_INTO_WHAT_FOLLOWS and any(v.name in outputs for v in layer.outputs))
        for layer in block.layers
    )
