"""A network with other items in place of some of its blocks."""

from __future__ import annotations

from collections.abc import Callable

from hwnas.network.network import Block, Item, Layer, Network, join


def replaced(network: Network, new: Callable[[str, Block], Item | None], prefix: str = "") -> Network:
    """The network in which `new` says, of the path of a block and the block, what stands there instead.

    Where it says None the block stays, and those inside it are asked about.
    """

    def item_for(item: Item) -> Item:
        if isinstance(item, Layer):
            return item
        path = join(prefix, item.name)
        return new(path, item) or item._replace(network=replaced(item.network, new, path))

    items = tuple([item_for(item) for item in network.items])
    return Network(network.inputs, network.outputs, items, network.own_parameters)
