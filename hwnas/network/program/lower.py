"""From a network to the program that a runtime executes.

Batch normalisations are folded into the convolution before them, activations are computed by the operator
before them, and what only renames data is left out, as converters to TFLite do. Each operator has a short
function in `operators.py`; what is fused is decided here.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from hwnas.network.network import Layer, Network, Shape
from hwnas.network.program.layout import fused_activation, nhwc
from hwnas.network.program.operators import LOWERINGS
from hwnas.network.program.pads import explicit_pads
from hwnas.network.program.program import Operator, Program, Tensor, UnsupportedOperatorError, Window

_NORMALISED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")
_ACTIVATED = (*_NORMALISED[:3], "ADD", "SUB", "MUL", "AVERAGE_POOL_2D", "MAX_POOL_2D")
_ONLY_RENAMING = ("Flatten", "Reshape", "Squeeze")
_LINEAR = ("Gemm", "MatMul")


def lower(
    network: Network, *, dtype: str = "int8", fused_pad: bool = False, float_input: bool = False
) -> Program:
    """The program of the live layers of `network`.

    Args:
        network: what to execute; maps `[c, h, w]` become `(1, h, w, c)`.
        dtype: of activations and weights: `int8` (biases are then int32) or `float32`.
        fused_pad: whether convolutions and poolings pad by themselves, whatever the padding (TinyEngine,
            ExecuTorch); otherwise a PAD stands before each whose padding is neither TFLite's SAME nor VALID.
        float_input: whether the inputs are float32 and quantised by the program.

    Raises:
        UnsupportedOperatorError: a layer has no form in TFLite; the message names it.
        ValueError: another dtype.
    """
    if dtype not in ("int8", "float32"):
        raise ValueError(f"dtype must be int8 or float32, not {dtype!r}")
    program = Lowering(network.live, dtype).run(float_input=float_input and dtype == "int8")
    return program if fused_pad else explicit_pads(program)


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

    def run(self, *, float_input: bool) -> Program:
        """The program with all padding inside its windows."""
        inputs = tuple([self._input(name, shape, float_input) for name, shape in self.network.inputs])
        for layer in self.network.layers:
            if not (self._is_fused(layer) or self._is_free(layer)):
                self._lower(layer)
        outputs = tuple([self._numbers[value.name] for value in self.network.flat_outputs])
        return Program(tuple(self.tensors), tuple([d.operator for d in self._drafts]), inputs, outputs)

    def _lower(self, layer: Layer) -> None:
        make = LOWERINGS.get(layer.op)
        if make is None:
            raise UnsupportedOperatorError(f"layer {layer.name}: {layer.op} has no form in TFLite")
        make(self, layer)

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
        is_free = layer.op == "Dropout" or (
            layer.op in _ONLY_RENAMING
            and len(layer.output.shape) == 1
            and self._feeds_linear_layers(layer.output.name)
        )
        if is_free:
            self._numbers[layer.output.name] = self._numbers[layer.inputs[0]]
        return is_free

    def _feeds_linear_layers(self, name: str) -> bool:
        """Whether matrix products alone read a value, whose weights then follow its layout."""
        return name not in self._outputs and all(
            user.op in _LINEAR or (user.op == "Dropout" and self._feeds_linear_layers(user.output.name))
            for user in self._users.get(name, ())
        )

    # --- for the functions in operators.py

    def number(self, name: str) -> int:
        """The tensor of a value, or a new one of a parameter (as it is broadcast against maps)."""
        if name in self._numbers:
            return self._numbers[name]
        return self.constant(name, nhwc(self.network.parameters[name].shape))

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
