import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from hwnas.proxies import ProxyResult, score

from .mixture import Mixture
from .networks import batch, chain
from .test_golden import CASES, VALUES, build


def linear_regions(module: nn.Module, inputs: Tensor) -> ProxyResult:
    return score(module, inputs, proxies=["linear_regions"])["linear_regions"]


@pytest.mark.parametrize(("name", "seed", "dtype", "mode"), CASES)
def test_values_of_the_published_implementation(name: str, seed: str, dtype: str, mode: str) -> None:
    expected = VALUES[name][seed][dtype][mode]["tenas.linear_regions"]
    module, inputs, _ = build(name, seed, dtype, mode)
    result = linear_regions(module, inputs)
    if name == "inverted_bn":  # the reference fails where every ReLU is a ReLU6, which has regions as well
        assert "error" in expected and result.value == 16
    else:
        assert result.value == expected
    assert result.mode == mode


def halves(features: int) -> nn.Module:
    """ReLU of each coordinate: the regions are the orthants."""
    module = nn.Sequential(nn.Linear(features, features, bias=False), nn.ReLU(), nn.Linear(features, 1))
    nn.init.eye_(module[0].weight)
    return module.double()


@given(seed=st.integers(0, 1000), images=st.integers(2, 40), features=st.integers(1, 12))
@settings(max_examples=30, deadline=None)
def test_orthants(seed: int, images: int, features: int) -> None:
    inputs = torch.randn(images, features, generator=torch.Generator().manual_seed(seed)).double()
    result = linear_regions(halves(features), inputs)
    assert result.value == len({tuple(row) for row in (inputs > 0).tolist()})
    assert (result.note is not None) == (result.value == images)


def test_a_unit_at_0_is_off() -> None:
    assert linear_regions(halves(1), torch.tensor([[0.0], [-1.0]]).double()).value == 1


def test_equal_images_lie_in_one_region() -> None:
    inputs, _ = batch()
    inputs[3:] = inputs[:3]
    result = linear_regions(Mixture(), inputs)
    assert (result.value, result.note, result.layers_used) == (3.0, None, 4)


def test_saturation_is_noted() -> None:
    result = linear_regions(chain(), batch()[0])
    assert result.value == 6
    assert result.note == "every image has a pattern of its own: the value is the batch size"


def test_undefined_values_have_a_reason() -> None:
    inputs, _ = batch()
    smooth = linear_regions(nn.Sequential(nn.Conv2d(3, 2, 3), nn.GELU()).double(), inputs)
    assert math.isnan(smooth.value) and "no ReLU-family activation" in str(smooth.reason)
    assert smooth.layers_skipped == ("gelu",)
    broken = chain()
    nn.init.constant_(broken[0].weight, math.nan)
    assert linear_regions(broken, inputs).reason == "the input of a ReLU holds NaN"


def test_one_image_is_too_few() -> None:
    with pytest.raises(ValueError, match=r"inputs: linear_regions compares images; pass .* not 1"):
        linear_regions(chain(), batch(1)[0])
