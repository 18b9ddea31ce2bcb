"""Adam (Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, algorithm 1)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FIRST, SECOND, EPSILON = 0.9, 0.999, 1e-8


class Adam:
    """What follows from the gradients of parameters of one `shape`, with the paper's constants."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._mean = np.zeros(shape)
        self._square = np.zeros(shape)
        self._steps = 0

    def direction(self, gradient: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The step for a learning rate of 1, up the `gradient` (of their shape); minus it goes down."""
        self._steps += 1
        self._mean += (1 - FIRST) * (gradient - self._mean)
        self._square += (1 - SECOND) * (gradient**2 - self._square)
        mean = self._mean / (1 - FIRST**self._steps)
        square = self._square / (1 - SECOND**self._steps)
        return mean / (np.sqrt(square) + EPSILON)
