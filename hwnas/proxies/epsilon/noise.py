"""Whether a network's outputs under two constant weights are proportional: then epsilon is exactly 0.

Convolution, ReLU and pooling only scale their output when their input is scaled, and so does batch
normalisation, by the batch's statistics, of channels that are all equal. On a chain of such layers the weight
is a scale of the outputs, which epsilon divides out; what is left is rounding noise. A difference needs two
paths of different scales that meet, unequal channels that are normalised, or a layer that is not positively
homogeneous, such as Sigmoid or ReLU6.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TypeAlias

from hwnas.network.network import Layer, Network

_LINEAR = {"Conv", "ConvTranspose", "Gemm"}
_KEEPS_SCALE = {
    "Relu", "LeakyRelu", "Abs", "Neg", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool",
    "ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceL2", "Flatten", "Reshape", "Squeeze",
    "Unsqueeze", "Expand", "Transpose", "Split", "Slice", "DepthToSpace", "SpaceToDepth", "Resize", "Dropout",
}  # fmt: skip
_KEEPS_EQUAL = {
    "Relu", "LeakyRelu", "Abs", "Neg", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool",
    "Split", "Slice", "BatchNormalization",
}  # fmt: skip
_RESHAPES = {"Flatten", "Reshape", "Squeeze", "Unsqueeze"}
_JOINS = {"Add", "Sub", "Sum", "Mean", "Max", "Min", "Concat"}

Scale: TypeAlias = int | None
_NONE: Scale = None  # no common scale: the outputs are not proportional
_ONE, _ZERO = -1, -2  # of what does not depend on the weight; of what is 0, and so of any scale


def outputs_are_proportional(network: Network) -> bool:
    """Whether the outputs of `network` under two positive constant weights and biases of 0 are proportional.

    Batch normalisation is by the statistics of the batch. False means that it is not proved.
    """
    live = network.live
    scales = _Scales(live)
    for layer in live.layers:
        scales.add(layer)
    found = {scales.of[value.name] for value in live.flat_outputs}
    return _NONE not in found and len(found - {_ZERO}) <= 1


class _Scales:
    """The scale of every value, and whether all its channels are equal.

    Equal numbers stand for equal scales, and for equal values (`numbers`).
    """

    def __init__(self, network: Network) -> None:
        self.parameters = network.parameters
        self._known: dict[Hashable, int] = {}
        self.of: dict[str, Scale] = {value.name: _ONE for value in network.inputs}
        self.equal = {value.name: value.shape[0] == 1 for value in network.inputs}
        self.sizes = {name: value.size // value.shape[0] for name, value in network.values.items()}
        self.numbers = {value.name: self._number(("input", i)) for i, value in enumerate(network.inputs)}
        for name, parameter in network.parameters.items():
            zero = parameter.constant is not None and not any(parameter.constant)
            self.of[name] = (_ZERO if zero else _ONE) if parameter.constant is not None else _NONE
            content: Hashable = (
                ("weight", parameter.shape) if parameter.constant is None else ("constant", name)
            )
            self.numbers[name] = self._number(content)
            self.equal[name] = parameter.size == 1

    def _number(self, key: Hashable) -> int:
        return self._known.setdefault(key, len(self._known))

    def add(self, layer: Layer) -> None:
        read = tuple(self.numbers[name] if name else None for name in layer.inputs)
        settings = tuple(sorted(layer.attributes.items()))
        scale, equal = self._scale(layer), self._equal_channels(layer)
        for index, value in enumerate(layer.outputs):
            self.of[value.name], self.equal[value.name] = scale, equal
            self.numbers[value.name] = self._number((layer.op, settings, read, index, value.shape))

    def _scale(self, layer: Layer) -> Scale:
        if layer.op == "ConstantOfShape":
            return _ZERO if float(str(layer.attributes["value"])) == 0 else _ONE
        first = layer.inputs[0]
        if layer.op in _LINEAR or layer.op == "BatchNormalization":
            return self._weighted(layer, self.of[first])
        if layer.op in _KEEPS_SCALE:
            return self.of[first]
        found = [self.of[name] for name in layer.inputs]
        if layer.op in _JOINS:
            different = set(found) - {_ZERO}
            return different.pop() if len(different) == 1 else (_NONE if different else _ZERO)
        if layer.op == "Mul" and _NONE not in found:
            factors = sorted(scale for scale in found if scale is not None and scale != _ONE)
            return _ZERO if _ZERO in factors else self._product(factors)
        return _NONE

    def _equal_channels(self, layer: Layer) -> bool:
        if layer.op in _LINEAR:
            return layer.attributes.get("group", 1) == 1 or self.equal[layer.inputs[0]]
        if layer.op in _KEEPS_EQUAL:
            return self.equal[layer.inputs[0]]
        if layer.op in _RESHAPES:
            return self.equal[layer.inputs[0]] and self.sizes[layer.inputs[0]] == 1
        if layer.op == "Concat" and len({self.numbers[name] for name in layer.inputs}) > 1:
            return False
        alike = layer.op in _JOINS or layer.op in ("Mul", "ConstantOfShape")
        return alike and all(self.equal[name] for name in layer.inputs if name)

    def _weighted(self, layer: Layer, scale: Scale) -> Scale:
        weights = [self.parameters[name] for name in layer.inputs[1:3] if name]
        if scale is _NONE or any(weight.constant is not None for weight in weights):
            return _NONE
        if scale == _ZERO:
            return _ZERO
        if layer.op == "BatchNormalization":
            if not self.equal[layer.inputs[0]]:
                return _NONE
            return self._number(("normalised", self.numbers[layer.inputs[0]], layer.attributes["epsilon"]))
        return self._number(("times the weight", scale))

    def _product(self, factors: list[int]) -> Scale:
        if not factors:
            return _ONE
        return factors[0] if len(factors) == 1 else self._number(("product", tuple(factors)))
