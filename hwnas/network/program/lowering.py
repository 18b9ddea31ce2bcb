"""A program while it is made of a network: its tensors and operators so far, and what is fused into them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from hwnas.network.network import Layer, Network, Shape, Value
from hwnas.network.program.layout import fused_activation, nhwc
from hwnas.network.program.program import Operator, Program, Tensor, Window, refused

_NORMALISED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")
_ACTIVATED = (*_NORMALISED[:3], "ADD", "SUB", "MUL", "AVERAGE_POOL_2D", "MAX_POOL_2D")
_ONLY_RENAMING = ("Flatten", "Reshape", "Squeeze")
_LINEAR = ("Gemm", "MatMul")

Lower: TypeAlias = Callable[["Lowering", Layer], object]


@dataclass
class _Draft:
    """An operator that others may still be fused into."""

    operator: Operator

    def fuse(self, layer: Layer, activation: str | None = None) -> None:
        self.operator = replace(
            self.operator,
            layers=(*self.operator.layers, layer),
            activation=activation or self.operator.activation,
        )


class Lowering:
    """The tensors and operators of a program while it is made.

    Attributes:
        network: the network, without dead layers.
        dtype: of activations and weights.
    """

    def __init__(self, network: Network, dtype: str) -> None:
        network = _without_dropout(network)
        self.network, self.dtype = network, dtype
        self.tensors: list[Tensor] = []
        self._drafts: list[_Draft] = []
        self._numbers: dict[str, int] = {}
        self._makers: dict[int, _Draft] = {}
        outputs = [value.name for value in network.flat_outputs]
        self._uses = Counter([*(name for layer in network.layers for name in layer.inputs), *outputs])
        self._users: dict[str, list[Layer]] = {}
        for layer in network.layers:
            for name in layer.inputs:
                self._users.setdefault(name, []).append(layer)
        self._outputs = set(outputs)

    def run(self, lowerings: Mapping[str, Lower], *, float_input: bool) -> Program:
        """The program, all padding inside its windows; `lowerings` append what is not fused."""
        inputs = tuple([self._input(name, shape, float_input) for name, shape in self.network.inputs])
        for layer in self.network.layers:
            if not (self._is_fused(layer) or self._is_free(layer)):
                _of(lowerings, layer)(self, layer)
        outputs = tuple([self._numbers[value.name] for value in self.network.flat_outputs])
        return Program(tuple(self.tensors), tuple([d.operator for d in self._drafts]), inputs, outputs)

    def _input(self, name: str, shape: Shape, is_float: bool) -> int:
        if not is_float:
            self._numbers[name] = self.add_tensor(name, nhwc(shape))
            return self._numbers[name]
        number = self.add_tensor(name, nhwc(shape), dtype="float32", scales=0)
        self.operator(f"{name}.quantize", "QUANTIZE", [number], f"{name}.quantized", nhwc(shape))
        self._numbers[name] = len(self.tensors) - 1
        return number

    # --- what is fused

    def _is_fused(self, layer: Layer) -> bool:
        """Fuse the layer into the operator that makes its input, where that is possible."""
        draft = self._sole_maker(layer)
        if draft is None:
            return False
        operator = draft.operator
        if layer.op == "BatchNormalization":
            if operator.kind not in _NORMALISED or operator.activation != "NONE" or operator.layers[1:]:
                return False
            draft.fuse(layer)
        else:
            activation = fused_activation(layer)
            if activation is None or operator.kind not in _ACTIVATED or operator.activation != "NONE":
                return False
            draft.fuse(layer, activation)
        self._numbers[layer.output.name] = operator.outputs[0]
        return True

    def _sole_maker(self, layer: Layer) -> _Draft | None:
        """What makes the input of `layer`, where nothing else reads it."""
        source = layer.inputs[0] if layer.inputs else ""
        if self._uses[source] != 1:
            return None
        return self._makers.get(self._numbers.get(source, -1))

    def _is_free(self, layer: Layer) -> bool:
        """Give the output the tensor of the input, where nothing has to be computed."""
        is_free = (
            layer.op in _ONLY_RENAMING
            and len(layer.output.shape) == 1
            and self._feeds_linear_layers(layer.output.name)
        )
        if is_free:
            self._numbers[layer.output.name] = self._numbers[layer.inputs[0]]
        return is_free

    def _feeds_linear_layers(self, name: str) -> bool:
        """Whether matrix products alone read a value, whose weights then follow its layout."""
        return name not in self._outputs and all(user.op in _LINEAR for user in self._users.get(name, ()))

    # --- for the functions in operators.py

    def number(self, name: str) -> int:
        """The tensor of a value."""
        return self._numbers[name]

    def operand(self, name: str, rank: int) -> int:
        """The tensor of a value, or a new one of a parameter as it is broadcast to `rank` axes."""
        if name in self._numbers:
            return self._numbers[name]
        shape = self.network.parameters[name].shape
        shape = shape[1:] if len(shape) > rank else (*[1] * (rank - len(shape)), *shape)
        return self.constant(name, nhwc(shape))

    def shape(self, name: str) -> Shape:
        """The shape of a value or a parameter, as the network has it."""
        parameter = self.network.parameters.get(name)
        return self.network.values[name].shape if parameter is None else parameter.shape

    def add_tensor(
        self,
        name: str,
        shape: Shape,
        *,
        dtype: str | None = None,
        is_constant: bool = False,
        scales: int = 1,
        values: tuple[float, ...] | None = None,
    ) -> int:
        """A new tensor's number."""
        dtype = dtype or self.dtype
        scales = scales if dtype in ("int8", "int32") and self.dtype == "int8" else 0
        self.tensors.append(Tensor(name, shape, dtype, is_constant, scales, values))
        return len(self.tensors) - 1

    def constant(
        self, name: str, shape: Shape, *, scales: int = 1, values: tuple[float, ...] | None = None
    ) -> int:
        """The number of a new constant of the program's dtype."""
        return self.add_tensor(name, shape, is_constant=True, scales=scales, values=values)

    def integers(self, name: str, values: tuple[int, ...], shape: Shape | None = None) -> int:
        """The number of a new constant that describes the operator: a shape, axes, paddings."""
        shape = shape or (len(values),)
        return self.add_tensor(name, shape, dtype="int32", is_constant=True, scales=0, values=values)

    def bias(self, layer: Layer, channels: int, kind: str) -> int:
        """The number of the bias of `layer`: its own, or that of a normalisation to come; or -1."""
        name = layer.inputs[2] if len(layer.inputs) > 2 else ""
        if not name and not self._is_normalised(layer):
            return -1
        scales = 1 if kind == "FULLY_CONNECTED" else channels
        dtype = "int32" if self.dtype == "int8" else self.dtype
        name = name or f"{layer.name}.bias"
        return self.add_tensor(name, (channels,), dtype=dtype, is_constant=True, scales=scales)

    def _is_normalised(self, layer: Layer) -> bool:
        users = self._users.get(layer.output.name, ())
        return self._uses[layer.output.name] == 1 and any(u.op == "BatchNormalization" for u in users)

    def operator(
        self,
        name: str,
        kind: str,
        inputs: list[int],
        output: str,
        shape: Shape,
        *,
        window: Window | None = None,
        activation: str = "NONE",
        options: dict[str, int | float | str | bool | tuple[int, ...]] | None = None,
        layers: tuple[Layer, ...] = (),
    ) -> int:
        """Append an operator with one output, of `shape` in TFLite's layout; the output's number."""
        number = self.add_tensor(output, shape)
        draft = _Draft(
            Operator(name, kind, tuple(inputs), (number,), window, activation, options or {}, layers)
        )
        self._drafts.append(draft)
        self._makers[number] = draft
        self._numbers[output] = number
        return number

    def split(self, layer: Layer, kind: str, inputs: list[int]) -> None:
        """Append the operator of a layer with several outputs."""
        numbers = []
        for name, shape in layer.outputs:
            self._numbers[name] = self.add_tensor(name, nhwc(shape))
            numbers.append(self._numbers[name])
        operator = Operator(layer.name, kind, tuple(inputs), tuple(numbers), layers=(layer,))
        self._drafts.append(_Draft(operator))

    def layer(
        self,
        layer: Layer,
        kind: str,
        inputs: list[int],
        *,
        window: Window | None = None,
        options: dict[str, int | float | str | bool | tuple[int, ...]] | None = None,
    ) -> int:
        """Append the one operator that computes `layer`."""
        shape = nhwc(layer.output.shape)
        return self.operator(
            layer.name,
            kind,
            inputs,
            layer.output.name,
            shape,
            window=window,
            options=options,
            layers=(layer,),
        )


def _of(lowerings: Mapping[str, Lower], layer: Layer) -> Lower:
    if layer.op not in lowerings:
        raise refused(layer, "has no form in TFLite")
    return lowerings[layer.op]


def _without_dropout(network: Network) -> Network:
    """The network as it infers: what read the result of a Dropout reads its input."""
    dropped = {layer.output.name: layer.inputs[0] for layer in network.layers if layer.op == "Dropout"}
    if not dropped:
        return network

    def source(name: str) -> str:
        while name in dropped:
            name = dropped[name]
        return name

    layers = [
        layer._replace(inputs=tuple([source(name) for name in layer.inputs]))
        for layer in network.layers
        if layer.op != "Dropout"
    ]
    outputs = [Value(source(name), shape) for name, shape in network.flat_outputs]
    return Network(network.inputs, tuple(outputs), tuple(layers), network.parameters)
