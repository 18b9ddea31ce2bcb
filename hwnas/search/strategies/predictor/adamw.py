"""Adam with decoupled weight decay and a cosine schedule."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from hwnas.search.strategies.adam import Adam, Array


def adamw(
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
    optimisers = [Adam(one) for one in parameters]
    for step in range(1, steps + 1):
        at_step = rate * 0.5 * (1 + np.cos(np.pi * step / steps))
        for value, gradient, optimiser in zip(parameters, gradients(), optimisers, strict=True):
            value -= float(at_step) * (optimiser.direction(gradient) + decay * value)
