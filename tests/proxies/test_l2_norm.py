import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from hwnas.proxies import ProxyResult, score

from .mixture import Mixture, weights
from .networks import chain, encoder
from .test_golden import CASES, VALUES, build


def l2_norm(module: nn.Module) -> ProxyResult:
    return score(module, proxies=["l2_norm"])["l2_norm"]


@pytest.mark.parametrize(("name", "seed", "dtype", "mode"), CASES)
def test_values_of_the_published_implementation(name: str, seed: str, dtype: str, mode: str) -> None:
    expected = VALUES[name][seed][dtype][mode]["foresight.l2_norm"]
    tolerance = 1e-12 if dtype == "float64" else 1e-6
    assert l2_norm(build(name, seed, dtype, mode)[0]).value == pytest.approx(expected, rel=tolerance)


def test_by_hand() -> None:
    module = nn.Sequential(nn.Linear(2, 1), nn.ReLU(), nn.Linear(1, 1))
    with torch.no_grad():
        module[0].weight.copy_(torch.tensor([[3.0, -4.0]]))
        module[2].weight.fill_(-2)
    result = l2_norm(module)
    assert result.value == 7.0
    assert (result.mode, result.layers_used, result.layers_skipped) == ("none", 2, ())


def test_shared_weights_count_once_and_orphans_count() -> None:
    module = Mixture()
    expected = sum(float(w.detach().norm()) for w in (*weights(module).values(), module.orphan.weight))
    result = l2_norm(module)
    assert result.value == pytest.approx(expected, rel=1e-12)
    assert result.layers_used == 5


@given(exponent=st.integers(-60, 60))
@settings(max_examples=10, deadline=None)
def test_it_scales_with_the_weights(exponent: int) -> None:
    module, scaled = chain(), chain()
    with torch.no_grad():
        for parameter in scaled.parameters():
            parameter.mul_(2.0**exponent)
    assert l2_norm(scaled).value == l2_norm(module).value * 2.0**exponent


def test_what_is_not_covered_is_named() -> None:
    assert l2_norm(encoder()).layers_skipped == ("self_attn",)


def test_undefined_values_have_a_reason() -> None:
    result = l2_norm(nn.BatchNorm2d(3))
    assert math.isnan(result.value) and result.reason == "there is no convolution and no linear layer"
    broken = chain()
    nn.init.constant_(broken[2].weight, math.inf)
    assert l2_norm(broken).reason == "the norm of the weight of layer '2' is inf"


def test_the_meta_device_has_no_weights() -> None:
    with pytest.raises(ValueError, match="module: it is on the meta device, without values; l2_norm needs"):
        l2_norm(chain().to("meta"))
