"""Adam (Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, algorithm 1)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

FIRST, SECOND, EPSILON = 0.9, 0.999, 1e-8

Array = npt.NDArray[np.floating[Any]]


class Adam:
    """What follows from the gradients of `parameters`, in their shape and type, by the paper's constants."""

    def __init__(self, parameters: Array) -> None:
        self._mean = np.zeros_like(parameters)
        self._square = np.zeros_like(parameters)
        self._steps = 0

    def direction(self, gradient: Array) -> Array:
        """The step for a learning rate of 1, up the `gradient` (of their shape); minus it goes down."""
        self._steps += 1
        self._mean += (1 - FIRST) * (gradient - self._mean)
        self._square += (1 - SECOND) * (gradient**2 - self._square)
        mean = self._mean / (1 - FIRST**self._steps)
        square = self._square / (1 - SECOND**self._steps)
        return np.asarray(mean / (np.sqrt(square) + EPSILON))
