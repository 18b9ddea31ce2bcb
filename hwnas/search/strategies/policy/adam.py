"""Adam (Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, algorithm 1)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FIRST, SECOND, EPSILON = 0.9, 0.999, 1e-8


class Adam:
    """The steps of gradient ascent for parameters of one `shape`, with the paper's constants."""

    def __init__(self, shape: tuple[int, ...], learning_rate: float) -> None:
        self.learning_rate = learning_rate
        self._mean = np.zeros(shape)
        self._square = np.zeros(shape)
        self._steps = 0

    def step(self, gradient: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """What to add to the parameters to raise what `gradient` (of their shape) belongs to."""
        self._steps += 1
        self._mean = FIRST * self._mean + (1 - FIRST) * gradient
        self._square = SECOND * self._square + (1 - SECOND) * gradient**2
        mean = self._mean / (1 - FIRST**self._steps)
        square = self._square / (1 - SECOND**self._steps)
        return self.learning_rate * mean / (np.sqrt(square) + EPSILON)
