"""Gradients by the weights of convolutions and linear layers, and sums over those layers."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hwnas.proxies.layers import covered_weights, uncovered_modules
from hwnas.proxies.result import Measurement


@dataclass(frozen=True, eq=False)
class WeightGradients:
    """The covered layers' weights and the gradients of a scalar by them.

    Attributes:
        weights: by module name, each of its layer's shape.
        gradients: by module name; zeros where the scalar does not depend on the weight.
        without_gradient: the names of those layers.
        uncovered: names of modules with weights that no proxy here covers.
    """

    weights: dict[str, Tensor]
    gradients: dict[str, Tensor]
    without_gradient: tuple[str, ...]
    uncovered: tuple[str, ...]


def weight_gradients(module: nn.Module, scalar: Callable[[], Tensor]) -> WeightGradients:
    """Differentiate `scalar()`, computed with `module`, by the module's covered weights.

    Nothing is written to `.grad`. Frozen weights are unfrozen first, in the module given (a private copy):
    a proxy describes the architecture, not what the caller means to train.
    """
    weights = covered_weights(module)
    for weight in weights.values():
        weight.requires_grad_(True)
    value = scalar()
    found: tuple[Tensor | None, ...] = (None,) * len(weights)
    if weights and value.requires_grad:
        found = torch.autograd.grad(value, list(weights.values()), allow_unused=True)
    by_name = dict(zip(weights, found, strict=True))
    return WeightGradients(
        weights={name: weight.detach() for name, weight in weights.items()},
        gradients={
            name: torch.zeros_like(weights[name]) if gradient is None else gradient
            for name, gradient in by_name.items()
        },
        without_gradient=tuple(name for name, gradient in by_name.items() if gradient is None),
        uncovered=uncovered_modules(module),
    )


def sum_over_layers(gradients: WeightGradients, term: Callable[[Tensor, Tensor], Tensor]) -> Measurement:
    """Return the sum over layers of `term(weight, gradient)`, a scalar, added up in float64.

    The value is NaN, with a reason, when no covered layer has a gradient or when a term is not finite.
    """
    skipped = gradients.without_gradient + gradients.uncovered
    used = len(gradients.weights) - len(gradients.without_gradient)
    if used == 0:
        reason = "the outputs depend on no weight of a convolution or linear layer"
        return Measurement(math.nan, reason, 0, skipped)
    terms = {
        name: float(term(weight, gradients.gradients[name])) for name, weight in gradients.weights.items()
    }
    value = sum(terms.values())
    reason_or_none = None if math.isfinite(value) else _why_not_finite(terms)
    return Measurement(value, reason_or_none, used, skipped)


def _why_not_finite(terms: dict[str, float]) -> str:
    bad = next((name for name, term in terms.items() if not math.isfinite(term)), None)
    if bad is None:
        return "the sum over layers overflows float64"
    return f"the term of layer {bad!r} is {terms[bad]}: its weight or its gradient is not finite"
