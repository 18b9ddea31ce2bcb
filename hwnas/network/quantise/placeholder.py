"""Random numbers for a program, as the runtime demands them: fit for sizes and timing, not for use."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from hwnas.network.program import Operator, Program, Tensor
from hwnas.network.program.weighted import WEIGHTED, bias_of
from hwnas.network.quantise.quantised import Quantisation, QuantisedProgram
from hwnas.network.quantise.rules import fixed_quantisations, shared_quantisations

_ACTIVATION = Quantisation(np.array([1 / 32], np.float32), 0)
_WEIGHT_SPREAD = 127 / math.sqrt(3)
_BIAS_SPREAD = 0.1


def placeholder(program: Program, seed: int = 0) -> QuantisedProgram:
    """`program` with random weights and biases; activations keep about the spread of what goes in.

    The same seed gives the same numbers.

    Raises:
        ValueError: a tensor of a dtype that is not quantised (int16, uint8), or one whose content follows
            from nothing; operators that must share a quantisation and cannot (see `rules`).
    """
    return _Placeholder(program, np.random.default_rng(seed)).quantised()


class _Placeholder:
    def __init__(self, program: Program, generator: np.random.Generator) -> None:
        self.program, self.generator = program, generator
        self.shared = shared_quantisations(program)
        self.groups = {self.shared[n] for n in self.shared if not program.tensors[n].is_constant}
        self.fixed = fixed_quantisations(program)
        self.weighted: dict[int, Operator] = {}
        self.biased: dict[int, Operator] = {}
        for operator in program.operators:
            if operator.kind in WEIGHTED:
                self.weighted.setdefault(operator.inputs[WEIGHTED[operator.kind].weights], operator)
                self.biased.setdefault(bias_of(operator), operator)
        self.quantisations: dict[int, Quantisation] = {}

    def quantised(self) -> QuantisedProgram:
        tensors = list(enumerate(self.program.tensors))
        for number, tensor in tensors:
            if tensor.scales and tensor.dtype != "int32":
                self.quantisations[number] = self._quantisation(number, tensor)
        for number, tensor in tensors:
            if tensor.scales and tensor.dtype == "int32":
                self.quantisations[number] = self._bias_quantisation(number, tensor)
        constants = {
            number: self._content(number, tensor) for number, tensor in tensors if tensor.is_constant
        }
        return QuantisedProgram(self.program, self.quantisations, constants)

    def _quantisation(self, number: int, tensor: Tensor) -> Quantisation:
        if tensor.dtype != "int8":
            raise ValueError(f"tensor {tensor.name} is of {tensor.dtype}; only int8 is quantised")
        if number in self.fixed:
            return self.fixed[number]
        if number in self.weighted and tensor.is_constant:
            axis = WEIGHTED[self.weighted[number].kind].axis
            scale = 1 / (_WEIGHT_SPREAD * math.sqrt(self._fan_in(number, tensor)))
            spread = self.generator.uniform(0.5, 1, tensor.scales)
            return Quantisation((scale * spread).astype(np.float32), 0, axis if tensor.scales > 1 else 0)
        if tensor.values is not None and self.shared[number] not in self.groups:
            largest = max((abs(value) for value in tensor.values), default=0) or 1.0
            return Quantisation(np.array([largest / 127], np.float32), 0)
        return _ACTIVATION

    def _bias_quantisation(self, number: int, tensor: Tensor) -> Quantisation:
        """The product of the scales of data and weights."""
        operator = self.biased.get(number)
        if operator is None:
            raise ValueError(f"tensor {tensor.name} of int32 has a scale, but is no bias")
        data, weights, _, _ = WEIGHTED[operator.kind]
        product = (
            self.quantisations[operator.inputs[data]].scales
            * self.quantisations[operator.inputs[weights]].scales
        )
        return Quantisation(np.broadcast_to(product, (tensor.scales,)).astype(np.float32), 0, 0)

    def _content(self, number: int, tensor: Tensor) -> npt.NDArray[Any]:
        quantisation = self.quantisations.get(number)
        if tensor.values is not None:
            return _stated(tensor, quantisation)
        if number in self.biased:
            real = self.generator.normal(0, _BIAS_SPREAD, tensor.shape)
            if quantisation is None:
                return real.astype(np.float32)
            return np.rint(real / quantisation.scales).astype(np.int32)
        if tensor.dtype == "float32":
            spread = 1 / math.sqrt(self._fan_in(number, tensor))
            return self.generator.normal(0, spread, tensor.shape).astype(np.float32)
        if tensor.dtype != "int8":
            raise ValueError(
                f"tensor {tensor.name} of {tensor.dtype} is constant, but nothing says what it holds"
            )
        return self.generator.integers(-127, 128, tensor.shape, np.int8)

    def _fan_in(self, number: int, tensor: Tensor) -> int:
        """Numbers that each channel's weights sum over; 1 where they are no weights."""
        operator = self.weighted.get(number)
        if operator is None:
            return 1
        axis = WEIGHTED[operator.kind].axis
        return max(1, tensor.size // tensor.shape[axis])


def _stated(tensor: Tensor, quantisation: Quantisation | None) -> npt.NDArray[Any]:
    """What a tensor holds whose values are stated."""
    numbers = np.array(tensor.values, np.float64)
    if quantisation is not None:
        numbers = np.rint(np.clip(numbers / quantisation.scales + quantisation.zero_point, -128, 127))
    return numbers.reshape(tensor.shape).astype(tensor.dtype)
