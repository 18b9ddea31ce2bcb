"""Gradients by the weights of convolutions and linear layers, and sums over those layers."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from hwnas.proxies.forward_pass import gradients_by
from hwnas.proxies.layers import covered_weights, uncovered_modules
from hwnas.proxies.result import Measurement


@dataclass(frozen=True, eq=False)
class WeightGradients:
    """The covered layers' weights and the gradients of a scalar by them.

    Attributes:
        weights: by module name, each of its layer's shape.
        gradients: by module name; zeros where the scalar does not depend on the weight. They carry a graph
            of their own where second derivatives were asked for.
        without_gradient: the names of those layers.
        uncovered: names of modules with weights that no proxy here covers.
        activations: by module name, for each call of the layer its output (B, channels, ...) and the
            gradient by it; empty where they were not asked for.
    """

    weights: dict[str, nn.Parameter]
    gradients: dict[str, Tensor]
    without_gradient: tuple[str, ...]
    uncovered: tuple[str, ...]
    activations: dict[str, list[tuple[Tensor, Tensor]]] = field(default_factory=dict)


def weight_gradients(
    module: nn.Module,
    scalar: Tensor,
    *,
    activations: dict[str, list[Tensor]] | None = None,
    create_graph: bool = False,
    retain_graph: bool = False,
) -> WeightGradients:
    """Differentiate `scalar`, computed with `module`, by its covered weights and by `activations`."""
    weights = covered_weights(module)
    outputs = {
        name: [call for call in calls if call.requires_grad] for name, calls in (activations or {}).items()
    }
    flat = [call for calls in outputs.values() for call in calls]
    found = gradients_by(
        scalar, [*weights.values(), *flat], create_graph=create_graph, retain_graph=retain_graph
    )
    by_weight = dict(zip(weights, found, strict=False))
    by_call = iter(found[len(weights) :])
    pairs = {
        name: [
            (call.detach(), gradient.detach())
            for call, gradient in ((call, next(by_call)) for call in calls)
            if gradient is not None
        ]
        for name, calls in outputs.items()
    }
    return WeightGradients(
        weights=weights,
        gradients={
            name: torch.zeros_like(weights[name]) if gradient is None else gradient
            for name, gradient in by_weight.items()
        },
        without_gradient=tuple(name for name, gradient in by_weight.items() if gradient is None),
        uncovered=uncovered_modules(module),
        activations={name: calls for name, calls in pairs.items() if calls},
    )


def sum_over_layers(gradients: WeightGradients, term: Callable[[Tensor, Tensor], Tensor]) -> Measurement:
    """Return the sum over layers of `term(weight, gradient)`, a scalar, added up in float64.

    The value is NaN, with a reason, when no covered layer has a gradient or when a term is not finite.
    """
    terms = {
        name: float(term(weight.detach(), gradients.gradients[name].detach()))
        for name, weight in gradients.weights.items()
    }
    return sum_of_terms(gradients, terms)


def sum_of_terms(gradients: WeightGradients, terms: dict[str, float]) -> Measurement:
    """Return the sum of the terms by layer; NaN, with a reason, as `sum_over_layers`."""
    skipped = gradients.without_gradient + gradients.uncovered
    used = len(gradients.weights) - len(gradients.without_gradient)
    if used == 0:
        reason = "the outputs depend on no weight of a convolution or linear layer"
        return Measurement(math.nan, reason, 0, skipped)
    value = sum(terms.values())
    reason_or_none = None if math.isfinite(value) else _why_not_finite(terms)
    return Measurement(value, reason_or_none, used, skipped)


def _why_not_finite(terms: dict[str, float]) -> str:
    bad = next((name for name, term in terms.items() if not math.isfinite(term)), None)
    if bad is None:
        return "the sum over layers overflows float64"
    return f"the term of layer {bad!r} is {terms[bad]}: its weight or its gradient is not finite"
