"""The intermediate representation: a network described once, read by everything else.

A `Network` is a list of items in topological order. An item is a `Layer` (one ONNX operator) or a
`Block` (a call of another `Network`, as a function is called): what a space builds twice is one
`Network` called twice. Shapes leave the batch dimension out; attributes keep ONNX's meaning, in which
axis 0 is the batch and axis 1 the channels.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple, TypeAlias

Shape: TypeAlias = tuple[int, ...]
Attribute: TypeAlias = int | float | str | tuple[int, ...] | tuple[float, ...]


class Value(NamedTuple):
    """An activation: its name in the network and its shape without the batch."""

    name: str
    shape: Shape

    @property
    def size(self) -> int:
        """Number of elements for one sample."""
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A tensor that a layer owns, or shares with another layer.

    `trainable` is false for running statistics and constants. `constant` holds the values of a
    constant (flattened), which are part of the function that the network computes.
    """

    name: str
    shape: Shape
    trainable: bool = True
    constant: tuple[float, ...] | None = None

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)


class Layer(NamedTuple):
    """One ONNX operator.

    `inputs` names values and parameters in ONNX's order, `""` where an optional one is left out.
    Integer inputs of ONNX that fix shapes (a Reshape's target, a Slice's bounds) are attributes here.
    The name is a dotted path: all but its last part is the block that the layer stands in.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    outputs: tuple[Value, ...]
    attributes: Mapping[str, Attribute]

    @property
    def block(self) -> str:
        """Path of the enclosing block, `""` at the top."""
        return self.name.rpartition(".")[0]

    @property
    def output(self) -> Value:
        """The first output, which is the only one of every operator but Split."""
        return self.outputs[0]


class Block(NamedTuple):
    """A call of `network` on values of the caller; `outputs` are the caller's names of its results."""

    name: str
    network: Network
    inputs: tuple[str, ...]
    outputs: tuple[Value, ...]


Item: TypeAlias = Layer | Block


@dataclass(frozen=True, eq=False)
class Network:
    """A static, acyclic network. Compare two by their `key`."""

    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    items: tuple[Item, ...]
    own_parameters: Mapping[str, Parameter]

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """All layers in topological order, those inside blocks under their full path."""
        return self._flat[0]

    @cached_property
    def flat_outputs(self) -> tuple[Value, ...]:
        """The outputs under the names that `layers` uses."""
        return self._flat[1]

    @cached_property
    def _flat(self) -> tuple[tuple[Layer, ...], tuple[Value, ...]]:
        if all(isinstance(item, Layer) for item in self.items):
            return self.items, self.outputs  # type: ignore[return-value]
        full_names: dict[str, str] = {}
        layers = tuple(_flatten(self, "", full_names))
        return layers, tuple(Value(full_names.get(name, name), shape) for name, shape in self.outputs)

    @cached_property
    def parameters(self) -> Mapping[str, Parameter]:
        """All parameters by full path, those of the blocks included."""
        return dict(_flatten_parameters(self, ""))

    @cached_property
    def values(self) -> Mapping[str, Value]:
        """Every input and every layer output by name."""
        outputs = {value.name: value for layer in self.layers for value in layer.outputs}
        return {value.name: value for value in self.inputs} | outputs

    @cached_property
    def key(self) -> str:
        """Canonical key: equal for isomorphic networks only. Names of layers and blocks do not count."""
        from hwnas.network.canonical import canonical_key

        return canonical_key(self)

    @cached_property
    def live(self) -> Network:
        """The network without the layers that the output does not depend on through the input."""
        from hwnas.network.liveness import prune

        return prune(self)

    @cached_property
    def block_counts(self) -> Counter[Network]:
        """The innermost blocks (see `blocks`), one `Network` object each, with how often each occurs."""
        counts: Counter[Network] = Counter()
        for item, single in zip(self.items, _single_layer_networks(self), strict=True):
            if single is not None:
                counts[single] += 1
            elif isinstance(item, Block) and item.network.is_innermost:
                counts[item.network] += 1
            elif isinstance(item, Block):
                counts.update(item.network.block_counts)
        return counts

    @cached_property
    def is_innermost(self) -> bool:
        """Whether it holds layers and no blocks."""
        return bool(self.items) and all(isinstance(item, Layer) for item in self.items)

    def blocks(self) -> Iterator[tuple[str, Network]]:
        """The innermost blocks in order, with their path; together they hold every layer once.

        A layer that stands beside blocks, or in no block at all, is a block of one layer.
        """
        return _blocks(self, "")

    def __reduce__(self) -> tuple[type[Network], tuple[object, ...]]:
        """Pickled without what has been computed from it."""
        return Network, (self.inputs, self.outputs, self.items, dict(self.own_parameters))

    def __repr__(self) -> str:
        shapes = " ".join("×".join(map(str, v.shape)) for v in self.inputs)
        return f"Network({len(self.layers)} layers, input {shapes})"


def flat(network: Network) -> Network:
    """The same network without blocks: their layers under full paths."""
    if all(isinstance(item, Layer) for item in network.items):
        return network
    return Network(network.inputs, network.flat_outputs, network.layers, network.parameters)


def join(prefix: str, name: str) -> str:
    """The dotted path of `name` inside `prefix`."""
    return f"{prefix}.{name}" if prefix else name


def _flatten(network: Network, prefix: str, names: dict[str, str]) -> Iterator[Layer]:
    """Yield the layers under full paths. `names` maps local values to full names and grows."""
    for item in network.items:
        if isinstance(item, Layer):
            yield _rename(item, prefix, names, network.own_parameters)
            continue
        path = join(prefix, item.name)
        inner = {
            value.name: names.get(outer, join(prefix, outer))
            for value, outer in zip(item.network.inputs, item.inputs, strict=True)
        }
        yield from _flatten(item.network, path, inner)
        for outer, value in zip(item.outputs, item.network.outputs, strict=True):
            names[outer.name] = inner.get(value.name, join(path, value.name))


def _rename(
    layer: Layer, prefix: str, names: Mapping[str, str], parameters: Mapping[str, Parameter]
) -> Layer:
    dot = f"{prefix}." if prefix else ""
    inputs = tuple(
        name and (dot + name if name in parameters else names.get(name) or dot + name)
        for name in layer.inputs
    )
    outputs = tuple(Value(dot + name, shape) for name, shape in layer.outputs)
    return Layer(dot + layer.name, layer.op, inputs, outputs, layer.attributes)


def _flatten_parameters(network: Network, prefix: str) -> Iterator[tuple[str, Parameter]]:
    for parameter in network.own_parameters.values():
        path = join(prefix, parameter.name)
        yield path, replace(parameter, name=path) if prefix else parameter
    for item in network.items:
        if isinstance(item, Block):
            yield from _flatten_parameters(item.network, join(prefix, item.name))


def _blocks(network: Network, prefix: str) -> Iterator[tuple[str, Network]]:
    for item, single in zip(network.items, _single_layer_networks(network), strict=True):
        path = join(prefix, item.name)
        if single is not None:
            yield path, single
        elif isinstance(item, Block) and item.network.is_innermost:
            yield path, item.network
        elif isinstance(item, Block):
            yield from _blocks(item.network, path)


_SINGLES = "_single_layer_networks"


def _single_layer_networks(network: Network) -> tuple[Network | None, ...]:
    """For each item that is a layer, the network of that layer alone (made once for each network)."""
    made: tuple[Network | None, ...] | None = network.__dict__.get(_SINGLES)
    if made is None:
        shapes = {value.name: value for value in network.inputs}
        for item in network.items:
            shapes.update((value.name, value) for value in item.outputs)
        made = tuple(
            cut_layer(item, shapes, network.own_parameters) if isinstance(item, Layer) else None
            for item in network.items
        )
        network.__dict__[_SINGLES] = made
    return made


def cut_layer(layer: Layer, values: Mapping[str, Value], parameters: Mapping[str, Parameter]) -> Network:
    """The network that consists of `layer` alone."""
    used = dict.fromkeys(name for name in layer.inputs if name)
    return Network(
        inputs=tuple(values[name] for name in used if name not in parameters),
        outputs=layer.outputs,
        items=(layer,),
        own_parameters={name: parameters[name] for name in used if name in parameters},
    )
