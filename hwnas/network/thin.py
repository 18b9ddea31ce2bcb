"""Thin copies: the same topology with one channel everywhere, for tiny inputs.

A convolution keeps its window, stride and padding and becomes one of a single output channel over all
channels of its input, a linear layer one of a single feature. Only a concatenation has several channels: one
for each part, as in TE-NAS's thin networks. Of a factorised reduction, strided pointwise convolutions with a
part of the channels each, the last one is left, as there: half of one channel is none.

Of equal blocks that follow each other (a stage's cells) one is kept, as TE-NAS builds its thin networks of
one cell for each stage: on tiny maps a stack of cells soon tells all images apart. Equal means one `Network`
called on the results of the call before, which nothing else reads; a network without blocks keeps all layers.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from hwnas.network.broadcast import BROADCASTING, broadcast_shape
from hwnas.network.network import Block, Item, Layer, Network, Parameter, Shape, Value
from hwnas.network.operators import infer_shapes, input_shapes

_KEPT = {
    "Relu", "LeakyRelu", "PRelu", "Clip", "Elu", "Selu", "Celu", "Gelu", "Sigmoid", "HardSigmoid",
    "HardSwish", "Tanh", "Softplus", "Softsign", "Mish", "Erf", "Exp", "Log", "Sqrt", "Neg", "Abs",
    "Reciprocal", "Floor", "Ceil", "Sign", "Dropout", "Softmax", "LogSoftmax", "LRN", "BatchNormalization",
    "LayerNormalization", "Gemm", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "Concat",
    "Flatten", "Squeeze", "Unsqueeze", "ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd",
    "ReduceL2",
}  # fmt: skip
_PER_CHANNEL = {"BatchNormalization", "GroupNormalization"}


class CannotThinError(ValueError):
    """The network has no thin copy; the message names the layer and what stands in the way."""


class TooSmallError(CannotThinError):
    """A layer does not fit the small maps; larger ones may do."""


def thin(network: Network, *, side: int = 3, blocks: Sequence[str] = (), repeats: bool = False) -> Network:
    """The thin copy of `network`, for inputs of shape (1, side, side).

    Args:
        network: of one image.
        side: of the thin copy's.
        blocks: the names of blocks at the top; the copy is of these alone, one after the other, whatever
            stands between them in the network. Without any it is of the whole network.
        repeats: keep equal blocks that follow each other.

    Raises:
        CannotThinError: naming the layer whose meaning depends on the number of channels: a split, a
            reshape, a product of two activations.
        TooSmallError: naming the layer whose window does not fit the small map, or whose inputs no longer
            fit each other.
        ValueError: the network has no such block.
    """
    image = (1, side, side)
    if blocks:
        return _thin_blocks(network, blocks, image, repeats)
    return _thin(network, image, repeats)


def smallest_thin(
    network: Network,
    *,
    sides: Iterable[int] = range(3, 33),
    blocks: Sequence[str] = (),
    repeats: bool = False,
) -> Network:
    """The thin copy of `network` for the first of `sides` whose images it accepts; the rest as in `thin`.

    NAS-Bench-201 needs 4: a convolution and a pooling of stride 2 side by side agree on even sizes only.

    Raises:
        CannotThinError: as `thin`; a `TooSmallError` where none of `sides` will do.
        ValueError: the network has no such block.
    """
    misfit = TooSmallError("no sides given")
    for side in sides:
        try:
            return thin(network, side=side, blocks=blocks, repeats=repeats)
        except TooSmallError as error:
            misfit = error
    raise misfit


def _thin(network: Network, image: Shape, repeats: bool) -> Network:
    if len(network.inputs) != 1 or len(network.inputs[0].shape) != 3:
        shapes = ", ".join(str(value.shape) for value in network.inputs)
        raise CannotThinError(f"one image (channels, height, width) expected as the input, not {shapes}")
    return _Thinner(network if repeats else without_repeats(network), image).network()


def _thin_blocks(network: Network, names: Sequence[str], image: Shape, repeats: bool) -> Network:
    known = {item.name: item.network for item in network.items if isinstance(item, Block)}
    if unknown := [name for name in names if name not in known]:
        there = ", ".join(known) or "no blocks"
        raise ValueError(f"block: no {unknown[0]!r} in the network; it has {there}")
    first = value = Value("input", image)
    items = []
    for name in names:
        if len(value.shape) != 3:
            raise CannotThinError(f"block {name}: its input, {value.name}, is no image: {value.shape}")
        block = _thin(known[name], value.shape, repeats)
        output = Value(name, block.outputs[0].shape)
        items.append(Block(name, block, (value.name,), (output,)))
        value = output
    return Network((first,), (value,), tuple(items), {})


def without_repeats(network: Network) -> Network:
    """Keep one of each run of equal blocks, at every level of nesting; see the module's text."""
    readers = Counter(name for item in network.items for name in item.inputs)
    readers.update(value.name for value in network.outputs)
    renamed: dict[str, str] = {}
    items: list[Item] = []
    kept: Block | None = None
    for item in network.items:
        if isinstance(item, Block) and kept is not None and _repeats(item, kept, renamed, readers):
            renamed.update(zip(_names(item.outputs), _names(kept.outputs), strict=True))
            continue
        kept = item if isinstance(item, Block) else None
        items.append(item._replace(inputs=tuple(renamed.get(name, name) for name in item.inputs)))
    items = [
        item._replace(network=without_repeats(item.network)) if isinstance(item, Block) else item
        for item in items
    ]
    outputs = tuple(Value(renamed.get(name, name), shape) for name, shape in network.outputs)
    return replace(network, outputs=outputs, items=tuple(items))


def _repeats(item: Block, kept: Block, renamed: dict[str, str], readers: Counter[str]) -> bool:
    chained = tuple(renamed.get(name, name) for name in item.inputs) == _names(kept.outputs)
    alone = all(readers[name] == 1 for name in item.inputs)
    return chained and alone and (item.network is kept.network or item.network.key == kept.network.key)


def _is_strided_and_pointwise(attributes: Any) -> bool:
    return set(attributes["kernel_shape"]) == {1} and min(attributes["strides"]) > 1


def _names(values: Sequence[Value]) -> tuple[str, ...]:
    return tuple(value.name for value in values)


class _Thinner:
    """Rewrites the layers of one network in order."""

    def __init__(self, network: Network, image: Shape) -> None:
        self.wide = network
        self.values = {network.inputs[0].name: Value(network.inputs[0].name, image)}
        self.parameters: dict[str, Parameter] = {}
        self.layers: list[Layer] = []

    def network(self) -> Network:
        for layer in self.wide.layers:
            self._add(layer)
        return Network(
            inputs=tuple(self.values[name] for name in _names(self.wide.inputs)),
            outputs=tuple(self.values[name] for name in _names(self.wide.flat_outputs)),
            items=tuple(self.layers),
            own_parameters=self.parameters,
        )

    def _add(self, layer: Layer) -> None:
        if self._is_factorised_reduction(layer):
            layer = layer._replace(inputs=layer.inputs[-1:])
        op, attributes = self._operator(layer)
        shapes = dict(zip(self._parameter_names(layer), self._parameter_shapes(layer), strict=True))
        for name, shape in shapes.items():
            self._own(layer, name, shape)
        inputs = [self.values.get(name) or self.parameters.get(name) for name in layer.inputs]
        try:
            found = infer_shapes(op, attributes, input_shapes(inputs))
        except ValueError as error:
            raise TooSmallError(f"layer {layer.name}: {error}") from error
        outputs = tuple(Value(name, shape) for name, shape in zip(_names(layer.outputs), found, strict=True))
        if op in BROADCASTING:
            self._require_same_broadcast(layer, found[0])
        self.values.update((value.name, value) for value in outputs)
        self.layers.append(Layer(layer.name, op, layer.inputs, outputs, attributes))

    def _operator(self, layer: Layer) -> tuple[str, dict[str, Any]]:
        """The thin layer's operator and attributes."""
        attributes: dict[str, Any] = dict(layer.attributes)
        match layer.op:
            case "Conv" | "ConvTranspose":
                return layer.op, attributes | {"group": 1}
            case "GroupNormalization":
                return layer.op, attributes | {"num_groups": 1}
            case "Reshape" if len(attributes["shape"]) == 2:
                return "Flatten", {"axis": 1}
            case "Pad" if attributes["pads"][1] == attributes["pads"][self._rank(layer) + 1] == 0:
                return layer.op, attributes
            case "Resize" if "scales" in attributes and attributes["scales"][1] == 1:
                return layer.op, attributes
            case "Slice" if 1 not in attributes["axes"]:
                return layer.op, attributes | {"ends": self._thin_ends(layer)}
            case "ConstantOfShape":
                return layer.op, attributes | {"shape": (0, *self._thin_shape_of(layer))}
            case "MatMul" if self._parameter_names(layer) == layer.inputs[1:]:
                return layer.op, attributes
            case op if op in _KEPT or op in BROADCASTING:
                return layer.op, attributes
        raise CannotThinError(f"layer {layer.name}: what {layer.op} does depends on the number of channels")

    def _is_factorised_reduction(self, layer: Layer) -> bool:
        if layer.op != "Concat":
            return False
        reduced = {
            one.output.name
            for one in self.layers
            if one.op == "Conv" and _is_strided_and_pointwise(one.attributes)
        }
        return reduced.issuperset(layer.inputs)

    def _rank(self, layer: Layer) -> int:
        return len(self.wide.values[layer.inputs[0]].shape) + 1

    def _thin_ends(self, layer: Layer) -> tuple[int, ...]:
        """The ends of a slice; those at the end of an axis stay there."""
        a: Any = layer.attributes
        wide = self.wide.values[layer.inputs[0]].shape
        narrow = self.values[layer.inputs[0]].shape
        return tuple(
            narrow[axis - 1] if end == wide[axis - 1] else end
            for axis, end in zip(a["axes"], a["ends"], strict=True)
        )

    def _thin_shape_of(self, constant: Layer) -> Shape:
        """The thin counterpart of a constant's shape, where all values of that shape have the same."""
        shape = constant.output.shape
        counterparts = {
            value.shape for name, value in self.values.items() if self.wide.values[name].shape == shape
        }
        if len(counterparts) != 1:
            raise CannotThinError(f"layer {constant.name}: no single thin counterpart of the shape {shape}")
        return counterparts.pop()

    def _parameter_names(self, layer: Layer) -> tuple[str, ...]:
        return tuple(name for name in layer.inputs if name in self.wide.parameters)

    def _parameter_shapes(self, layer: Layer) -> list[Shape]:
        names = self._parameter_names(layer)
        if not names:
            return []
        wide = [self.wide.parameters[name].shape for name in names]
        values = [self.values[name].shape for name in layer.inputs if name in self.values]
        if layer.op in _PER_CHANNEL:
            return [(values[0][0],)] * len(names)
        match layer.op:
            case "Conv":
                return [(1, values[0][0], *wide[0][2:]), (1,)][: len(names)]
            case "ConvTranspose":
                return [(values[0][0], 1, *wide[0][2:]), (1,)][: len(names)]
            case "Gemm":
                features = math.prod(values[0])
                weight = (1, features) if layer.attributes["transB"] else (features, 1)
                return [weight, (1,)][: len(names)]
            case "MatMul":
                return [(values[0][-1], 1)]
        return [broadcast_shape(shape, values[0]) for shape in wide]

    def _own(self, layer: Layer, name: str, shape: Shape) -> None:
        parameter = self.wide.parameters[name]
        if parameter.constant is not None and parameter.shape != shape:
            raise CannotThinError(f"layer {layer.name}: the constant {name} holds a number for each channel")
        known = self.parameters.setdefault(name, replace(parameter, shape=shape))
        if known.shape != shape:
            raise CannotThinError(
                f"layer {layer.name}: the shared parameter {name} would be {known.shape} and {shape}"
            )

    def _require_same_broadcast(self, layer: Layer, result: Shape) -> None:
        """Require that no input is stretched along an axis where it was not."""
        before = layer.output.shape
        for name in layer.inputs:
            if name not in self.values:
                continue
            was, now = self.wide.values[name].shape, self.values[name].shape
            if any(w == b and n != r for w, b, n, r in zip(was, before, now, result, strict=True)):
                raise TooSmallError(f"layer {layer.name}: its inputs, once of equal shapes, no longer are")
