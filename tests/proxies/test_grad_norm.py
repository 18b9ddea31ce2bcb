import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from hwnas.proxies import ProxyResult, score

from .networks import CLASSES, batch, chain


def grad_norm(module: nn.Module, **arguments: object) -> ProxyResult:
    inputs, labels = batch()
    return score(module, inputs, labels, ["grad_norm"], **arguments)["grad_norm"]


def test_by_hand() -> None:
    module = nn.Linear(2, 1, bias=False)
    inputs = torch.tensor([[1.0, 2.0], [2.0, 2.0]])
    result = score(module, inputs, inputs, ["grad_norm"], loss=lambda out, _: out.sum())["grad_norm"]
    assert result.value == pytest.approx(5.0)


def test_it_is_a_sum_of_norms_over_weights_only() -> None:
    module = chain(normalised=True)
    inputs, labels = batch()
    F.cross_entropy(module(inputs), labels).backward()
    expected = sum(float(module[index].weight.grad.norm()) for index in (0, 3, 6))
    module.zero_grad()
    assert grad_norm(module).value == pytest.approx(expected, rel=1e-12)


@given(exponent=st.integers(-8, 8))
@settings(max_examples=10, deadline=None)
def test_it_scales_with_the_loss(exponent: int) -> None:
    module = chain()

    def scaled(outputs: Tensor, targets: Tensor) -> Tensor:
        return F.cross_entropy(outputs, targets) * 2.0**exponent

    assert grad_norm(module, loss=scaled).value == pytest.approx(
        grad_norm(module).value * 2.0**exponent, rel=1e-12
    )


class Detached(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(3, CLASSES).double()

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(x.mean((2, 3)))
        return logits.detach()


def test_no_dependence_on_any_weight_is_said() -> None:
    result = grad_norm(Detached())
    assert math.isnan(result.value)
    assert result.reason == "the outputs depend on no weight of a convolution or linear layer"
    assert (result.layers_used, result.layers_skipped) == (0, ("head",))
