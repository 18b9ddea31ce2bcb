"""Smaller copies of a network: the same layers with a part of the channels, for smaller images.

Every number of channels or features is multiplied by one factor and rounded, so that what had equal widths
keeps them; images shrink and the other sizes follow. What the network gives keeps its number of channels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from hwnas.network.broadcast import BROADCASTING, broadcast_shape
from hwnas.network.network import Layer, Network, Parameter, Shape, Value
from hwnas.network.operators import infer_shapes, input_shapes
from hwnas.network.scale_attributes import ATTRIBUTES

_WEIGHTED = ("Conv", "ConvTranspose", "Gemm", "MatMul")
_PER_CHANNEL = ("BatchNormalization", "InstanceNormalization", "GroupNormalization")

Width: TypeAlias = Callable[[int], int]


def scale(network: Network, *, channels: float = 1.0, resolution: float = 1.0) -> Network:
    """Multiply the channels of every layer, and the height and width of the inputs; the result is flat.

    A width becomes its product with `channels`, rounded, at least 1; the inputs' channels and the outputs'
    stay. A depthwise convolution stays one; other groups become the largest number that divides the old one
    and the new widths. Names of layers and parameters stay.

    Raises:
        ValueError: a factor is not in (0, 1]; an image would be smaller than a pixel; or a layer cannot be
            scaled, which the message names: a window that does not fit, a reshape, split or slice that does
            not divide, a constant that holds a number for each channel.
    """
    for name, factor in (("channels", channels), ("resolution", resolution)):
        if not 0 < factor <= 1:
            raise ValueError(f"{name} must be above 0 and at most 1, got {factor}")
    return _Scaler(network, lambda width: rounded(width, channels), resolution).network()


def rounded(size: int, factor: float) -> int:
    """The product, rounded half up, at least 1."""
    return max(1, math.floor(size * factor + 0.5))


def output_layers(network: Network) -> frozenset[str]:
    """Names of the convolutions and matrix products that decide how many channels the outputs have."""
    producers = {value.name: layer for layer in network.layers for value in layer.outputs}
    waiting = [value.name for value in network.flat_outputs]
    seen: set[str] = set()
    found: set[str] = set()
    while waiting:
        layer = producers.get(waiting.pop())
        if layer is None or layer.name in seen:
            continue
        seen.add(layer.name)
        depthwise = layer.op == "Conv" and _is_depthwise(layer, network.parameters)
        if layer.op in _WEIGHTED and not depthwise:
            found.add(layer.name)
        else:
            waiting += [name for name in layer.inputs if name not in network.parameters]
    return frozenset(found)


def _is_depthwise(layer: Layer, parameters: Mapping[str, Parameter]) -> bool:
    return layer.attributes["group"] != 1 and parameters[layer.inputs[1]].shape[1] == 1


class _Scaler:
    """Rewrites the layers of one network in order."""

    def __init__(self, network: Network, width: Width, resolution: float) -> None:
        self.large, self.width = network, width
        self.outputs = output_layers(network)
        self.values = {value.name: _image(value, resolution) for value in network.inputs}
        self.parameters: dict[str, Parameter] = {}
        self.layers: list[Layer] = []

    def network(self) -> Network:
        for layer in self.large.layers:
            try:
                self._add(layer)
            except ValueError as error:
                raise ValueError(f"layer {layer.name} cannot be scaled: {error}") from error
        return Network(
            inputs=tuple(self.values[value.name] for value in self.large.inputs),
            outputs=tuple(self.values[value.name] for value in self.large.flat_outputs),
            items=tuple(self.layers),
            own_parameters=self.parameters,
        )

    def _add(self, layer: Layer) -> None:
        attributes = self._attributes(layer)
        names = [name for name in layer.inputs if name in self.large.parameters]
        for name, shape in zip(names, self._parameter_shapes(layer, names, attributes), strict=True):
            self._own(name, shape)
        inputs = [self.values.get(name) or self.parameters.get(name) for name in layer.inputs]
        found = infer_shapes(layer.op, attributes, input_shapes(inputs))
        outputs = tuple(Value(v.name, shape) for v, shape in zip(layer.outputs, found, strict=True))
        if layer.op in BROADCASTING:
            self._require_same_broadcast(layer, found[0])
        self.values.update((value.name, value) for value in outputs)
        self.layers.append(Layer(layer.name, layer.op, layer.inputs, outputs, attributes))

    def _shapes(self, layer: Layer) -> tuple[list[Shape], list[Shape]]:
        """The shapes of the layer's activations, before and after."""
        names = [name for name in layer.inputs if name in self.values]
        return [self.large.values[name].shape for name in names], [self.values[name].shape for name in names]

    def _attributes(self, layer: Layer) -> dict[str, Any]:
        attributes: dict[str, Any] = dict(layer.attributes)
        before, after = self._shapes(layer)
        if layer.op in ("Conv", "ConvTranspose"):
            attributes["group"] = self._groups(layer, after[0][0])
        elif layer.op == "GroupNormalization":
            attributes["num_groups"] = math.gcd(attributes["num_groups"], after[0][0])
        elif layer.op == "ConstantOfShape":
            attributes["shape"] = (0, *self._counterpart(layer.output.shape))
        elif layer.op in ATTRIBUTES:
            attributes |= ATTRIBUTES[layer.op](attributes, before[0], after[0])
        return attributes

    def _groups(self, layer: Layer, inputs: int) -> int:
        groups = int(str(layer.attributes["group"]))
        if layer.op == "Conv" and _is_depthwise(layer, self.large.parameters):
            return inputs
        return math.gcd(groups, inputs, self._features(layer))

    def _features(self, layer: Layer) -> int:
        """The output channels or features of a convolution or matrix product."""
        axis = -1 if layer.op == "MatMul" else 0
        before = layer.output.shape[axis]
        if layer.op == "Conv" and _is_depthwise(layer, self.large.parameters):
            large, small = self._shapes(layer)
            return before // large[0][0] * small[0][0]
        return before if layer.name in self.outputs else self.width(before)

    def _counterpart(self, shape: Shape) -> Shape:
        """What a constant of this shape becomes: as every activation before it that had this shape."""
        found = {value.shape for name, value in self.values.items() if self.large.values[name].shape == shape}
        if len(found) != 1:
            raise ValueError(
                f"{len(found)} activations before it tell what its shape {shape} becomes; one expected"
            )
        return found.pop()

    def _parameter_shapes(self, layer: Layer, names: list[str], attributes: Mapping[str, Any]) -> list[Shape]:
        if not names:
            return []
        large = [self.large.parameters[name].shape for name in names]
        values = self._shapes(layer)[1]
        x = values[0] if values else ()
        if layer.op in _WEIGHTED:
            weight = self._weight_shape(layer, large[0], x, attributes)
            return [weight, (self._features(layer),)][: len(names)]
        if layer.op in _PER_CHANNEL:
            return [(x[0],)] * len(names)
        if layer.op == "LayerNormalization":
            return [x[attributes["axis"] - 1 :]] * len(names)
        return [broadcast_shape(shape, x) for shape in large]

    def _weight_shape(self, layer: Layer, large: Shape, x: Shape, attributes: Mapping[str, Any]) -> Shape:
        features = self._features(layer)
        match layer.op:
            case "Conv":
                return (features, x[0] // attributes["group"], *large[2:])
            case "ConvTranspose":
                return (x[0], features // attributes["group"], *large[2:])
            case "Gemm":
                return (features, x[0]) if attributes["transB"] else (x[0], features)
        if len(large) != 2 or layer.inputs[0] in self.large.parameters:
            raise ValueError("only a matrix (inputs, features) on the right is scaled")
        return (x[-1], features)

    def _own(self, name: str, shape: Shape) -> None:
        parameter = self.large.parameters[name]
        constant = parameter.constant
        if constant is not None and shape != parameter.shape:
            if len(set(constant)) != 1:
                raise ValueError(f"the constant {name} holds a number for each channel or pixel")
            constant = constant[:1] * math.prod(shape)
        known = self.parameters.setdefault(name, replace(parameter, shape=shape, constant=constant))
        if known.shape != shape:
            raise ValueError(f"the shared parameter {name} would be {known.shape} and {shape}")

    def _require_same_broadcast(self, layer: Layer, result: Shape) -> None:
        """Require that no input is stretched along an axis where it was not."""
        large, small = self._shapes(layer)
        for before, after in zip(large, small, strict=True):
            sizes = zip(before, layer.output.shape, after, result, strict=True)
            if any(was == out and now != then for was, out, now, then in sizes):
                raise ValueError("its inputs, once of equal widths, no longer are")


def _image(value: Value, resolution: float) -> Value:
    if resolution == 1:
        return value
    if len(value.shape) != 3:
        raise ValueError(f"resolution: the input has the shape {value.shape}, not (channels, height, width)")
    return Value(value.name, (value.shape[0], *(rounded(side, resolution) for side in value.shape[1:])))
