"""A weighted sum of candidates that costs next to nothing beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import attrgetter
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

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


@dataclass(frozen=True)
class Factors:
    """Parameters by which a candidate's result can be multiplied instead of itself.

    Attributes:
        names: of the parameters that the result, a fresh tensor, is linear in, but for the input.
        adds_input: whether the input is added to that.
    """

    names: tuple[str, ...]
    adds_input: bool = False


class Mixture(nn.Module):
    """Σ_o weight_o · o(x) over the candidates that the weighting says are active; the others are not run.

    Args:
        candidates: by number, modules that map x to the same shape; a number without one gives zeros.
        shape: of the result without the batch.
        factors: by number, of the candidates that have any. Where no gradients by its weight are wanted,
            they are multiplied by it, not the result.
    """

    def __init__(
        self,
        candidates: dict[int, nn.Module],
        shape: Shape,
        factors: Mapping[int, Factors] | None = None,
    ) -> None:
        super().__init__()
        self.factors = factors or {}
        self.candidates = nn.ModuleDict({str(number): module for number, module in candidates.items()})
        self.shape = shape
        self.weighting = Weighting((), (), None)

    def forward(self, x: Tensor) -> Tensor:
        """`[n, *]` -> `[n, *shape]`, with the `weighting` that was set beforehand."""
        active, values, weights = self.weighting.active, self.weighting.values, self.weighting.weights
        if not active:
            return x.new_zeros(len(x), *self.shape)
        if weights is not None or values == (1,):
            return weighted_sum([self.candidates[str(number)](x) for number in active], values, weights)
        pairs = dict(zip(active, values, strict=True))
        total: Tensor | None = None
        lacking = 0.0
        for number in [number for number in active if number in self.factors]:
            value = pairs.pop(number)
            output = self._scaled(number, value, x)
            lacking += value - 1 if self.factors[number].adds_input else 0
            total = output if total is None else _added(total, output, 1)
        if total is not None and lacking:
            total = _added(total, x, lacking)
        return _fixed_sum((self.candidates[str(number)](x) for number in pairs), pairs.values(), total)

    def _scaled(self, number: int, value: float, x: Tensor) -> Tensor:
        """What a candidate gives, times `value`; an input that it adds is not multiplied."""
        candidate = self.candidates[str(number)]
        scaled = {name: value * attrgetter(name)(candidate) for name in self.factors[number].names}
        result: Tensor = functional_call(candidate, scaled, (x,))
        return result


def weighted_sum(outputs: Iterable[Tensor], values: Sequence[float], weights: Tensor | None) -> Tensor:
    """Σ values_o · outputs_o, all of one shape.

    Args:
        outputs: at least one, `[n, *]` each. Where no gradients by the weights are wanted, each is added as
            soon as it is there, and a backward pass keeps the gradient by one of them at a time.
        values: what they count for.
        weights: equal to `values`, `[len(values)]`, where gradients by them are wanted.
    """
    if weights is None:
        return next(iter(outputs)) if tuple(values) == (1,) else _fixed_sum(outputs, values)
    outputs = list(outputs)
    dtype = reduce(torch.promote_types, [output.dtype for output in outputs])
    result: Tensor = _WeightedSum.apply(weights, values, *[output.to(dtype) for output in outputs])  # type: ignore[no-untyped-call]
    return result


def _fixed_sum(outputs: Iterable[Tensor], values: Iterable[float], total: Tensor | None = None) -> Tensor:
    """The sum in a fresh tensor, or in `total`, which is what there is of it already."""
    for output, value in zip(outputs, values, strict=True):
        total = output * value if total is None else _added(total, output, value)
    assert total is not None
    return total


def _added(total: Tensor, output: Tensor, value: float) -> Tensor:
    add = total.add_ if output.dtype == total.dtype else total.add
    return add(output, alpha=value)


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
