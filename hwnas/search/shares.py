"""Where a network's latency goes: its blocks, each with the latency that it has alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hwnas.cost import count
from hwnas.latency import Device, measure
from hwnas.network import Network
from hwnas.search.records import BlockShare


def block_shares(network: Network, device: Device | None) -> list[BlockShare]:
    """The network block by block, each with the latency that it has alone on `device`."""
    table = measure([network], device) if device is not None else None
    shares = []
    for name, block in network.blocks():
        counts = count(block).whole
        latency = table[block.key].latency_ms if table is not None and block.key in table else None
        operators = ", ".join(dict.fromkeys(layer.op for layer in block.layers))
        shares.append(
            BlockShare(name, operators, block.outputs[0].shape, counts.macs, counts.params, latency)
        )
    return shares


def read_share(plain: Mapping[str, Any]) -> BlockShare:
    """The block share whose fields `plain` holds, as read from JSON."""
    return BlockShare(**{**plain, "output_shape": tuple(plain["output_shape"])})
