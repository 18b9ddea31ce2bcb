"""A weighted sum of candidates that costs next to nothing beside them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import torch
from torch import Tensor, nn

from hwnas.network.network import Shape


@dataclass(frozen=True)
class Weighting:
    """What a mixture's candidates count for in one forward pass.

    Attributes:
        active: numbers of the candidates that are computed.
        values: the weight of each of them.
        weights: the same as a tensor `[active]` on the device of the activations, through which gradients
            flow back; None where none are wanted.
    """

    active: tuple[int, ...]
    values: tuple[float, ...]
    weights: Tensor | None


class Mixture(nn.Module):
    """Σ_o weight_o · o(x) over the candidates that the weighting says are active; the others are not run.

    Args:
        candidates: by number, modules that map x to the same shape; a number without one gives zeros.
        shape: of the result without the batch.
    """

    def __init__(self, candidates: dict[int, nn.Module], shape: Shape) -> None:
        super().__init__()
        self.candidates = nn.ModuleDict({str(number): module for number, module in candidates.items()})
        self.shape = shape
        self.weighting = Weighting((), (), None)

    def forward(self, x: Tensor) -> Tensor:
        """`[n, *]` -> `[n, *shape]`, with the `weighting` that was set beforehand."""
        active, values, weights = self.weighting.active, self.weighting.values, self.weighting.weights
        if not active:
            return x.new_zeros(len(x), *self.shape)
        outputs = (self.candidates[str(number)](x) for number in active)
        return weighted_sum(outputs, values, weights)


def weighted_sum(outputs: Iterable[Tensor], values: Sequence[float], weights: Tensor | None) -> Tensor:
    """Σ values_o · outputs_o, all of one shape.

    Args:
        outputs: at least one, `[n, *]` each. Where no gradients by the weights are wanted, each is added as
            soon as it is there, and a backward pass keeps the gradient by one of them at a time.
        values: what they count for.
        weights: equal to `values`, `[len(values)]`, where gradients by them are wanted.
    """
    if weights is None:
        return _fixed_sum(outputs, values)
    outputs = list(outputs)
    dtype = reduce(torch.promote_types, [output.dtype for output in outputs])
    result: Tensor = _WeightedSum.apply(weights, values, *[output.to(dtype) for output in outputs])  # type: ignore[no-untyped-call]
    return result


def _fixed_sum(outputs: Iterable[Tensor], values: Sequence[float]) -> Tensor:
    pairs = zip(outputs, values, strict=True)
    output, value = next(pairs)
    total = output if len(values) == 1 and value == 1 else output * value
    for output, value in pairs:
        add = total.add_ if output.dtype == total.dtype else total.add
        total = add(output, alpha=value)
    return total


class _WeightedSum(torch.autograd.Function):
    """In each direction one pass over each output, and another one for its weight's gradient."""

    @staticmethod
    def forward(ctx: Any, weights: Tensor, values: Sequence[float], *outputs: Tensor) -> Tensor:
        ctx.values = values
        ctx.save_for_backward(*outputs)
        total = outputs[0] * values[0]
        for value, output in zip(values[1:], outputs[1:], strict=True):
            if value:
                total.add_(output, alpha=value)
        return total

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        by_weights = torch.stack([_dot(gradient, output) for output in ctx.saved_tensors])
        wanted = zip(ctx.values, ctx.needs_input_grad[2:], strict=True)
        by_outputs = [gradient * value if needed and value else None for value, needed in wanted]
        return by_weights, None, *by_outputs


def _dot(left: Tensor, right: Tensor) -> Tensor:
    """The sum of products, read in the order in which `right` lies in memory."""
    order = sorted(range(right.dim()), key=right.stride, reverse=True)
    return torch.dot(left.permute(order).reshape(-1), right.permute(order).reshape(-1))
