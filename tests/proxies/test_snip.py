import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from hwnas.proxies import score

from .networks import batch, chain


def snip(module: nn.Module, loss: object = F.cross_entropy) -> float:
    inputs, labels = batch()
    return score(module, inputs, labels, ["snip"], loss=loss)["snip"].value


def test_by_hand() -> None:
    module = nn.Linear(2, 1, bias=False)
    with torch.no_grad():
        module.weight.copy_(torch.tensor([[3.0, -4.0]]))
    inputs = torch.tensor([[1.0, 2.0], [5.0, -1.0]])
    result = score(module, inputs, inputs, ["snip"], loss=lambda out, _: out.sum())["snip"]
    assert result.value == pytest.approx(3 * 6 + 4 * 1)
    assert (result.dtype, result.layers_used) == ("float32", 1)


def test_by_backward_on_a_mask() -> None:
    module = chain(normalised=True)
    inputs, labels = batch()
    F.cross_entropy(module(inputs), labels).backward()
    weights = [module[index].weight for index in (0, 3, 6)]
    expected = sum(float((w.detach() * w.grad).abs().sum()) for w in weights)
    module.zero_grad()
    assert snip(module) == pytest.approx(expected, rel=1e-12)


@given(exponent=st.integers(-8, 8))
@settings(max_examples=10, deadline=None)
def test_it_scales_with_the_loss(exponent: int) -> None:
    module = chain()

    def scaled(outputs: Tensor, targets: Tensor) -> Tensor:
        return F.cross_entropy(outputs, targets) * 2.0**exponent

    assert snip(module, scaled) == pytest.approx(snip(module) * 2.0**exponent, rel=1e-12)


@given(exponent=st.integers(-8, 8))
@settings(max_examples=10, deadline=None)
def test_moving_a_scale_between_layers_does_not_matter_without_biases(exponent: int) -> None:
    module = chain(bias=False)
    before = snip(module)
    with torch.no_grad():
        module[0].weight.mul_(2.0**exponent)
        module[5].weight.mul_(2.0**-exponent)
    assert snip(module) == pytest.approx(before, rel=1e-12)


def test_nan_is_said_with_the_layer() -> None:
    module = chain()
    nn.init.constant_(module[2].weight, math.nan)
    inputs, labels = batch()
    result = score(module, inputs, labels, ["snip"])["snip"]
    assert math.isnan(result.value)
    assert "layer '0'" in str(result.reason) and "not finite" in str(result.reason)
