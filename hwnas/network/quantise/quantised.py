"""A program with its numbers: int8 weights, int32 biases, and the scale and zero point of every tensor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hwnas.network.program import Program


@dataclass(frozen=True)
class Quantisation:
    """Real value = scale · (integer - zero point).

    Attributes:
        scales: float32, `[1]`, or one for each channel.
        zero_point: of all channels; 0 for weights and biases.
        axis: the channels' axis where there are several scales.
    """

    scales: npt.NDArray[np.float32]
    zero_point: int = 0
    axis: int = 0


@dataclass(frozen=True)
class QuantisedProgram:
    """A program and what its tensors hold.

    Attributes:
        program: the operators.
        quantisations: by tensor number; none for a tensor that is not quantised.
        constants: the contents of constant tensors by number, in the tensor's shape and dtype.
    """

    program: Program
    quantisations: Mapping[int, Quantisation]
    constants: Mapping[int, npt.NDArray[Any]]
