"""A `.tflite` file as a network: ONNX's operators, maps `[c, h, w]`, without its numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hwnas.network.builder import Builder
from hwnas.network.network import Network, Parameter, Shape, Value
from hwnas.network.program import Operator, UnsupportedOperatorError
from hwnas.network.tflite.layers import LAYERS
from hwnas.network.tflite.read import TfliteFile, read_tflite

_ACTIVATIONS: dict[str, tuple[str, dict[str, float]]] = {
    "RELU": ("Relu", {}),
    "RELU6": ("Clip", {"min": 0.0, "max": 6.0}),
    "RELU_N1_TO_1": ("Clip", {"min": -1.0, "max": 1.0}),
    "TANH": ("Tanh", {}),
}


def from_tflite(model: str | Path | bytes | bytearray | memoryview | TfliteFile) -> Network:
    """The network that a `.tflite` file (or what was read of it) describes; the batch of 1 is left out.

    Fused activations become layers, conversions between float and int8 vanish, and weights and biases are
    parameters without their values. Maps are `[c, h, w]`; where the file flattens one for a fully connected
    operator, the columns of that operator are those of the transposed map.

    Raises:
        UnsupportedOperatorError: an operator that has no form in ONNX's vocabulary; the message names it.
        ValueError: as `read_tflite`, or a batch that is not 1 or mixed into other axes.
        OSError: there is no such file.
    """
    return Conversion(model if isinstance(model, TfliteFile) else read_tflite(model)).network()


class Conversion:
    """The layers of a network while it is made of a program's operators.

    Attributes:
        file: what was read.
        builder: collects the layers.
    """

    def __init__(self, file: TfliteFile) -> None:
        self.file, self.builder = file, Builder()
        self._values: dict[int, Value] = {}
        self._same: dict[int, int] = {}
        self._parameters: dict[tuple[int, Shape], Parameter] = {}
        self._readers: dict[int, Counter[str]] = {}
        for operator in file.program.operators:
            for number in operator.inputs:
                self._readers.setdefault(number, Counter())[operator.kind] += 1

    def network(self) -> Network:
        """The whole network."""
        program = self.file.program
        for number in program.inputs:
            self._values[number] = self.builder.input(*nchw(self.shape(number)))
        for operator in program.operators:
            self._convert(operator)
        return self.builder.build(*[self.value(number) for number in program.outputs])

    def _convert(self, operator: Operator) -> None:
        make = LAYERS.get(operator.kind)
        if make is None:
            raise UnsupportedOperatorError(
                f"{operator.name}: {operator.kind} has no form in ONNX's vocabulary"
            )
        try:
            make(self, operator)
        except (ValueError, IndexError) as error:
            raise type(error)(f"{operator.name}: {error}") from error

    # --- for the functions in layers.py

    def shape(self, number: int) -> Shape:
        """The shape of a tensor in TFLite's layout; of an activation it starts with the batch of 1."""
        tensor = self.file.program.tensors[number]
        if not tensor.is_constant and tensor.shape[:1] != (1,):
            raise ValueError(f"tensor {tensor.name} is of shape {tensor.shape}; a batch of 1 must come first")
        return tensor.shape

    def value(self, number: int) -> Value:
        """The value of an activation."""
        number = self._same.get(number, number)
        if number not in self._values:
            raise ValueError(f"tensor {self.file.program.tensors[number].name} is a constant, not a value")
        return self._values[number]

    def is_constant(self, number: int) -> bool:
        """Whether a tensor is constant, or a conversion of a constant."""
        return self._same.get(number, number) not in self._values

    def integers(self, number: int) -> tuple[int, ...]:
        """What a constant that describes the operator holds."""
        tensor = self.file.program.tensors[number]
        if tensor.values is None:
            raise ValueError(f"tensor {tensor.name} must be a short constant")
        return tuple([int(value) for value in tensor.values])

    def parameter(self, name: str, number: int, shape: Shape) -> Parameter:
        """The parameter for a constant tensor, of `shape`; the same one for every operator that reads it."""
        number = self._same.get(number, number)
        if not self.file.program.tensors[number].is_constant:
            raise ValueError(f"weights that are computed ({self.file.program.tensors[number].name})")
        known = self._parameters.get((number, shape))
        if known is None:
            known = self._parameters[number, shape] = self.builder.parameter(name, shape)
        return known

    def pass_on(self, operator: Operator, number: int) -> None:
        """Give the output of `operator` the value or constant of tensor `number`."""
        self._same[operator.outputs[0]] = self._same.get(number, number)

    def feeds_only(self, number: int, kind: str) -> bool:
        """Whether only operators of `kind` read a tensor, which is no output of the model."""
        return set(self._readers.get(number, ())) == {kind} and number not in self.file.program.outputs

    def layer(
        self, operator: Operator, op: str, *inputs: Value | Parameter | None, **attributes: Any
    ) -> Value:
        """A layer that is not yet all that `operator` computes."""
        return self.builder.layer(op, *inputs, name=operator.name.lower(), **attributes)

    def finish(self, operator: Operator, values: Sequence[Value]) -> None:
        """Give the outputs of `operator` these values, after its fused activation.

        Raises:
            ValueError: they are of other shapes than the file says.
        """
        for number, made in zip(operator.outputs, values, strict=True):
            value = made
            if operator.activation != "NONE":
                op, attributes = _ACTIVATIONS[operator.activation]
                value = self.layer(operator, op, value, **attributes)
            if value.shape != nchw(self.shape(number)):
                raise ValueError(f"it makes {value.shape}, and {nchw(self.shape(number))} in the file")
            self._values[number] = value


def nchw(shape: Shape) -> Shape:
    """`(1, h, w, c)` as `[c, h, w]`; other shapes without the batch."""
    return (shape[3], shape[1], shape[2]) if len(shape) == 4 else shape[1:]
