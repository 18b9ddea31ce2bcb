"""Gradients of a validation loss by architecture parameters whose weights follow a training loss.

DARTS (Liu et al., ICLR 2019): min_α L_val(w*(α), α), w*(α) = argmin_w L_train(w, α), with w* replaced by w
(first order) or by one step of the weights' own optimiser from w (second order).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

Loss = Callable[[], Tensor]
"""Computes a scalar from the weights and the architecture parameters as they are at the time."""

RADIUS = 0.01


@dataclass(frozen=True)
class VirtualStep:
    """The step w' = w - ξ·(μ·m + ∂_w L_train + δ·w) of SGD that second order looks ahead by.

    Attributes:
        rate: ξ, the learning rate of the weights.
        momentum: μ.
        weight_decay: δ.
    """

    rate: float
    momentum: float = 0.0
    weight_decay: float = 0.0

    def direction(self, weight: Tensor, gradient: Tensor | None, velocity: Tensor | None) -> Tensor:
        """μ·m + ∂_w L_train + δ·w, of the weight's shape; what is None counts as 0."""
        direction = self.weight_decay * weight
        if gradient is not None:
            direction = direction + gradient
        if velocity is not None:
            direction = direction + self.momentum * velocity
        return direction


def first_order(validation: Loss, parameters: Sequence[Tensor]) -> list[Tensor]:
    """∂_α L_val(w, α): ξ = 0, of the shapes of `parameters`; zeros where the loss does not depend on one."""
    return _gradients(validation(), parameters)


def second_order(
    training: Loss,
    validation: Loss,
    weights: Sequence[Tensor],
    parameters: Sequence[Tensor],
    step: VirtualStep,
    velocities: Sequence[Tensor | None],
    *,
    radius: float = RADIUS,
) -> list[Tensor]:
    """∂_α L_val(w', α) - ξ·(∂_α L_train(w⁺, α) - ∂_α L_train(w⁻, α)) / 2ε: equations 7 and 8 of DARTS.

    w' is one step from w, w± = w ± ε·v with v = ∂_w' L_val(w', α) and ε = radius / ‖v‖₂. The weights are
    moved in place for this, and are afterwards as they were. Four passes forwards and backwards.

    Args:
        training: L_train; the same batch at each call.
        validation: L_val.
        weights: w, all that the optimiser would move.
        parameters: α.
        step: of the weights' optimiser.
        velocities: m of each weight; None before its first step.
        radius: of the finite difference in the space of weights, 0.01 in DARTS. In small networks with batch
            normalisation the curvature varies within that, and a smaller one in float64 is more exact.

    Returns:
        A gradient for each of `parameters`.
    """
    with _kept(weights) as kept:
        gradients = torch.autograd.grad(training(), weights, allow_unused=True)
        directions = [
            step.direction(weight, gradient, velocity)
            for weight, gradient, velocity in zip(kept, gradients, velocities, strict=True)
        ]
        _place(weights, kept, directions, -step.rate)
        found = _gradients(validation(), [*parameters, *weights])
        direct, ahead = found[: len(parameters)], found[len(parameters) :]
        norm = float(torch.stack([part.norm() for part in ahead]).norm())
        if norm == 0:
            return direct
        epsilon = radius / norm
        _place(weights, kept, ahead, epsilon)
        above = first_order(training, parameters)
        _place(weights, kept, ahead, -epsilon)
        below = first_order(training, parameters)
    return [
        by_validation - step.rate * (up - down) / (2 * epsilon)
        for by_validation, up, down in zip(direct, above, below, strict=True)
    ]


def _gradients(loss: Tensor, tensors: Sequence[Tensor]) -> list[Tensor]:
    found = torch.autograd.grad(loss, tensors, allow_unused=True)
    return [
        torch.zeros_like(tensor) if gradient is None else gradient
        for tensor, gradient in zip(tensors, found, strict=True)
    ]


@contextmanager
def _kept(weights: Sequence[Tensor]) -> Iterator[list[Tensor]]:
    """Copies of the weights, which are put back at the end."""
    kept = [weight.detach().clone() for weight in weights]
    try:
        yield kept
    finally:
        with torch.no_grad():
            for weight, start in zip(weights, kept, strict=True):
                weight.copy_(start)


@torch.no_grad()
def _place(
    weights: Sequence[Tensor], origin: Sequence[Tensor], directions: Sequence[Tensor], length: float
) -> None:
    """Set the weights to origin + length · direction."""
    for weight, start, direction in zip(weights, origin, directions, strict=True):
        weight.copy_(start + length * direction)
