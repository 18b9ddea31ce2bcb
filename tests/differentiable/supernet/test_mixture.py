import pytest
import torch
from torch import nn

from hwnas.differentiable.supernet.mixture import Factors, Mixture, Weighting, weighted_sum


def tensors(count: int, *shape: int) -> list[torch.Tensor]:
    torch.manual_seed(0)
    return [torch.randn(*shape, dtype=torch.float64, requires_grad=True) for _ in range(count)]


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_the_sum_and_its_gradients_are_those_of_plain_arithmetic(layout: torch.memory_format):
    inputs = tensors(3, 2, 4, 5, 5)
    outputs = [one.contiguous(memory_format=layout) for one in inputs]
    weights = torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64, requires_grad=True)
    factor = torch.randn(2, 4, 5, 5, dtype=torch.float64)
    found = weighted_sum(outputs, weights.tolist(), weights)
    plain = sum(weight * output for weight, output in zip(weights, outputs, strict=True))
    assert torch.allclose(found, plain)
    assert found.is_contiguous(memory_format=layout)
    for ours, theirs in zip(
        torch.autograd.grad((found * factor).sum(), [weights, *inputs]),
        torch.autograd.grad((plain * factor).sum(), [weights, *inputs]),
        strict=True,
    ):
        assert torch.allclose(ours, theirs)


def test_fixed_weights_give_the_same():
    inputs = tensors(3, 2, 4)
    values = [0.2, 0.5, 0.3]
    found = weighted_sum((2 * one for one in inputs), values, None)
    assert torch.allclose(found, sum(2 * value * one for value, one in zip(values, inputs, strict=True)))
    gradients = torch.autograd.grad(found.sum(), inputs)
    assert all(torch.all(gradient == 2 * value) for value, gradient in zip(values, gradients, strict=True))


def test_the_inputs_of_a_sum_stay_as_they_are():
    inputs = tensors(2, 2, 4)
    before = [one.detach().clone() for one in inputs]
    weighted_sum(inputs, [1.0, 1.0], None)
    weighted_sum(inputs, [1.0, 1.0], torch.ones(2, dtype=torch.float64))
    assert all(torch.equal(one, kept) for one, kept in zip(inputs, before, strict=True))


def test_a_weight_of_0_has_a_gradient_and_passes_none_on():
    kept, gated = tensors(2, 2, 3)
    weights = torch.tensor([1.0, 0.0], dtype=torch.float64, requires_grad=True)
    weighted_sum([kept, gated], [1.0, 0.0], weights).sum().backward()
    assert torch.allclose(weights.grad, torch.stack([kept.sum(), gated.sum()]))
    assert gated.grad is None


def test_one_output_that_counts_in_full_is_passed_on():
    (output,) = tensors(1, 2, 3)
    assert weighted_sum([output], [1.0], None) is output


@pytest.mark.parametrize("order", [1, -1])
def test_outputs_of_several_dtypes_give_the_widest(order: int):
    outputs = [torch.ones(2, 3, dtype=torch.bfloat16), torch.ones(2, 3)][::order]
    weights = torch.tensor([0.5, 0.25])
    for given in (None, weights):
        found = weighted_sum(outputs, weights.tolist(), given)
        assert found.dtype == torch.float32
        assert torch.equal(found, torch.full((2, 3), 0.75))


class Counting(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        return 2 * x


def test_candidates_that_are_not_active_are_not_run():
    mixture = Mixture({0: Counting(), 2: Counting()}, (3,))
    mixture.weighting = Weighting((2,), (0.5,), None)
    assert torch.equal(mixture(torch.ones(4, 3)), torch.ones(4, 3))
    assert [mixture.candidates[number].calls for number in ("0", "2")] == [0, 1]


def test_nothing_active_gives_zeros_of_the_shape():
    mixture = Mixture({}, (6, 2, 2))
    assert torch.equal(mixture(torch.ones(4, 3, 4, 4)), torch.zeros(4, 6, 2, 2))


class Residual(nn.Module):
    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.body(x)


@pytest.mark.parametrize("values", [(0.2, 0.5, 0.3), (0.5, 0.3), (0.3,), (1.0,)])
def test_a_weight_inside_of_a_normalisation_gives_the_same(values: tuple[float, ...]):
    torch.manual_seed(0)
    normalised = [nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)).double() for _ in range(2)]
    candidates: dict[int, nn.Module] = {0: nn.Identity(), 1: normalised[0], 2: Residual(normalised[1])}
    factors = {
        1: Factors(("1.weight", "1.bias")),
        2: Factors(("body.1.weight", "body.1.bias"), adds_input=True),
    }
    plain, folded = Mixture(candidates, (3, 4, 4)), Mixture(candidates, (3, 4, 4), factors)
    x = torch.randn(2, 3, 4, 4, dtype=torch.float64, requires_grad=True)
    factor = torch.randn(2, 3, 4, 4, dtype=torch.float64)
    found = []
    for mixture in (plain, folded):
        mixture.weighting = Weighting((0, 1, 2)[-len(values) :], values, None)
        result = mixture(x)
        used = [x, *(one for number in mixture.weighting.active for one in candidates[number].parameters())]
        found.append([result, *torch.autograd.grad((result * factor).sum(), used)])
    assert all(torch.allclose(one, other) for one, other in zip(*found, strict=True))
