"""Networks put together from known pieces; their items are made when first asked for.

A space of cells describes its skeleton and the nodes of its cells once, so that what is found out of these
pieces need not be found again for each architecture.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from hwnas.network.network import Block, Item, Network, Parameter, Value


class Filled(Network):
    """A skeleton with other networks in place of some of its blocks'; made by `fill`.

    Attributes:
        skeleton: the network with placeholders; None in a copy with other fields (`dataclasses.replace`),
            which is a network like any other.
        filled: for each placeholder the network that takes its place.
    """

    skeleton: Network | None = None
    filled: Mapping[Network, Network] = {}

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """The items of the skeleton, each block with its own network."""
        items = self.skeleton.items if self.skeleton else ()
        return tuple([_filled(item, self.filled) for item in items])


def fill(skeleton: Network, filled: Mapping[Network, Network]) -> Network:
    """`skeleton` with other networks, of inputs and outputs of the same shapes, in place of those given."""
    network = Filled.__new__(Filled)
    network.__dict__.update(
        inputs=skeleton.inputs,
        outputs=skeleton.outputs,
        own_parameters=skeleton.own_parameters,
        skeleton=skeleton,
        filled=filled,
    )
    return network


def _filled(item: Item, filled: Mapping[Network, Network]) -> Item:
    if isinstance(item, Block) and item.network in filled:
        return item._replace(network=filled[item.network])
    return item


class Joined(Network):
    """The items of several networks in one, not in blocks of their own; made by `join_parts`.

    Attributes:
        parts: these networks, which name their values as this one does; None in a copy with other fields.
    """

    parts: tuple[Block, ...] | None = None

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """The items of the parts in order."""
        return tuple([item for part in self.parts or () for item in part.network.items])

    @cached_property
    def own_parameters(self) -> Mapping[str, Parameter]:
        """Those of the parts."""
        return {
            name: owned for part in self.parts or () for name, owned in part.network.own_parameters.items()
        }


def join_parts(x: Value, value: Value, parts: tuple[Block, ...]) -> Network:
    """The network that computes `value` from `x` by `parts`, which call values as this network does."""
    network = Joined.__new__(Joined)
    network.__dict__.update(inputs=(x,), outputs=(value,), parts=parts)
    return network
