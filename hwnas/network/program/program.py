"""What a microcontroller's runtime executes: a network after folding and fusing, as operators on tensors.

Operators have the names of TFLite's built-in operators, and tensors TFLite's layout (NHWC, batch 1) and
numbering; a `.tflite` file is the written form of a program.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from hwnas.network.network import Layer, Shape

ITEM_BYTES = {"int8": 1, "uint8": 1, "bool": 1, "int16": 2, "int32": 4, "float32": 4, "int64": 8}

Option = int | float | str | bool | tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor of a program.

    Attributes:
        name: the network's value or parameter, or the file's own name.
        shape: as TFLite has it: activations `(1, h, w, c)` or `(1, n)`; weights of CONV_2D
            `(co, kh, kw, ci/groups)`, of DEPTHWISE_CONV_2D `(1, kh, kw, c)`, of FULLY_CONNECTED `(n, k)`.
        dtype: one of `ITEM_BYTES`.
        is_constant: held in flash, not in the arena.
        scales: number of quantisation scales: 0 where it is not quantised, 1, or one for each channel.
        values: what a constant holds (real numbers, flattened) where that follows from the operator and not
            from the network's parameters: paddings, axes, shapes, the 3 of a hard sigmoid.
    """

    name: str
    shape: Shape
    dtype: str = "int8"
    is_constant: bool = False
    scales: int = 1
    values: tuple[float, ...] | None = None

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        """Bytes of its elements."""
        return math.prod(self.shape) * ITEM_BYTES[self.dtype]


@dataclass(frozen=True, slots=True)
class Window:
    """The sliding window of a convolution or a pooling; heights before widths.

    Attributes:
        kernel: `(kh, kw)`.
        strides: `(sh, sw)`.
        pads: `(top, left, bottom, right)`.
        dilations: `(dh, dw)`.
    """

    kernel: tuple[int, int]
    strides: tuple[int, int] = (1, 1)
    pads: tuple[int, int, int, int] = (0, 0, 0, 0)
    dilations: tuple[int, int] = (1, 1)


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator of a program.

    Attributes:
        name: the network's layer that it computes (the first of them), or `kind` and number.
        kind: TFLite's name, such as `CONV_2D`.
        inputs: numbers of its tensors in TFLite's order, -1 where an optional one is left out.
        outputs: numbers of its tensors.
        window: of convolutions and poolings.
        activation: fused: `NONE`, `RELU`, `RELU6`, `RELU_N1_TO_1`, `TANH`, as TFLite has it.
        options: further options by TFLite's names in lower case (`axis`, `keep_dims`, `beta`, ...).
        layers: the network's layers that it computes, in order; none for what was read from a file.
    """

    name: str
    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    window: Window | None = None
    activation: str = "NONE"
    options: Mapping[str, Option] = field(default_factory=dict)
    layers: tuple[Layer, ...] = ()


@dataclass(frozen=True)
class Program:
    """Operators in the order of their execution.

    Attributes:
        tensors: all tensors, constants too; their position is their number.
        operators: in the order of execution.
        inputs: numbers of the inputs.
        outputs: numbers of the outputs.
    """

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    @cached_property
    def lifetimes(self) -> Mapping[int, tuple[int, int]]:
        """Of each tensor that is not constant, the first and the last operator (positions) that it lives in.

        Inputs live from the first operator on, outputs to the last; what nothing reads lives at the operator
        that makes it.
        """
        births = dict.fromkeys(self.inputs, 0)
        deaths = dict(births)
        for position, operator in enumerate(self.operators):
            for number in operator.inputs:
                if number in births:
                    deaths[number] = position
            for number in operator.outputs:
                births[number] = deaths[number] = position
        last = max(0, len(self.operators) - 1)
        deaths.update((number, last) for number in self.outputs if number in births)
        return {number: (births[number], deaths[number]) for number in births}


class UnsupportedOperatorError(ValueError):
    """An operator that the runtime lacks; the message names the layer and the operator."""


def refused(layer: Layer, reason: str) -> UnsupportedOperatorError:
    """The error that says why `layer` has no form in TFLite."""
    return UnsupportedOperatorError(f"layer {layer.name}: {layer.op} {reason}")
