"""Adam with decoupled weight decay and a cosine schedule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating[Any]]

FIRST, SECOND, TINY = 0.9, 0.999, 1e-8


def adam(
    parameters: Sequence[Array],
    gradients: Callable[[], Sequence[Array]],
    *,
    steps: int,
    rate: float,
    decay: float,
) -> None:
    """Change the parameters in place (Loshchilov and Hutter, ICLR 2019, Algorithm 2).

    Args:
        parameters: what to change.
        gradients: of the loss at the parameters as they are.
        steps: number of them; the rate falls to 0 over them as a half cosine.
        rate: of the first step.
        decay: of the weights, relative to the rate.
    """
    first = [np.zeros_like(one) for one in parameters]
    second = [np.zeros_like(one) for one in parameters]
    for step in range(1, steps + 1):
        at_step = rate * 0.5 * (1 + np.cos(np.pi * step / steps))
        for value, gradient, m, v in zip(parameters, gradients(), first, second, strict=True):
            m += (1 - FIRST) * (gradient - m)
            v += (1 - SECOND) * (gradient**2 - v)
            update = (m / (1 - FIRST**step)) / (np.sqrt(v / (1 - SECOND**step)) + TINY)
            value -= float(at_step) * (update + decay * value)
