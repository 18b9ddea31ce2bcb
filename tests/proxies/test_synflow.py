import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from hwnas.proxies import ProxyResult, score

from .networks import CLASSES, SHAPE, batch, chain, fill


def synflow(module: nn.Module, name: str = "synflow", shape: tuple[int, ...] = SHAPE) -> ProxyResult:
    return score(module, input_shape=shape, proxies=[name])[name]


def test_by_hand() -> None:
    module = nn.Sequential(nn.Linear(2, 2, bias=False), nn.ReLU(), nn.Linear(2, 1, bias=False))
    with torch.no_grad():
        module[0].weight.copy_(torch.tensor([[1.0, -2.0], [3.0, 0.0]]))
        module[2].weight.copy_(torch.tensor([[-1.0, 2.0]]))
    flow = 1 * (1 + 2) + 2 * 3
    result = synflow(module, shape=(2,))
    assert result.value == pytest.approx(math.log(2 * flow), rel=1e-12)
    assert (result.dtype, result.layers_used, result.mode) == ("float64", 2, "train")


def test_it_needs_no_data_and_ignores_them() -> None:
    module = chain()
    inputs, labels = batch()
    assert score(module, inputs, labels, ["synflow"])["synflow"].value == synflow(module).value


@given(exponent=st.integers(-20, 20), layer=st.sampled_from([0, 2, 5]))
@settings(max_examples=15, deadline=None)
def test_scaling_a_layer_adds_the_log_of_the_scale(exponent: int, layer: int) -> None:
    module = chain(bias=False)
    before = synflow(module).value
    with torch.no_grad():
        module[layer].weight.mul_(2.0**exponent)
    assert synflow(module).value == pytest.approx(before + exponent * math.log(2), rel=1e-10)


@given(seed=st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_signs_and_the_order_of_channels_do_not_matter(seed: int) -> None:
    module = chain()
    before = synflow(module).value
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(6, generator=generator)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.mul_(torch.randint(0, 2, parameter.shape, generator=generator) * 2 - 1)
        module[0].weight.copy_(module[0].weight[order])
        module[0].bias.copy_(module[0].bias[order])
        module[2].weight.copy_(module[2].weight[:, order])
    assert synflow(module).value == pytest.approx(before, rel=1e-12)


@given(seed=st.integers(0, 1000))
@settings(max_examples=5, deadline=None)
def test_batch_normalisation_is_bypassed(seed: int) -> None:
    plain, normalised = chain(seed=seed), chain(seed=seed, normalised=True)
    with torch.no_grad():
        for source, copy in zip((0, 2, 5), (0, 3, 6), strict=True):
            normalised[copy].load_state_dict(plain[source].state_dict())
    assert synflow(normalised).value == synflow(plain).value
    assert synflow(normalised, "synflow_bn").value != pytest.approx(synflow(plain).value, rel=1e-3)
    assert synflow(plain, "synflow_bn").value == synflow(plain).value


class FunctionalNorm(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, CLASSES)
        self.register_buffer("mean", torch.zeros(4))
        self.register_buffer("variance", torch.full((4,), 9.0))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.layer(F.batch_norm(x, self.get_buffer("mean"), self.get_buffer("variance")))
        return out


def test_functional_batch_normalisation_is_bypassed_too() -> None:
    module = FunctionalNorm()
    assert synflow(module, shape=(4,)).value == synflow(module.layer, shape=(4,)).value


@pytest.mark.parametrize(
    ("convolution", "norm", "shape"),
    [
        (nn.Conv1d(2, 4, 1), nn.BatchNorm1d(4), (2, 3)),
        (nn.Conv2d(2, 4, 1), nn.BatchNorm2d(4), (2, 3, 3)),
        (nn.Conv3d(2, 4, 1), nn.BatchNorm3d(4), (2, 3, 3, 3)),
        (nn.Linear(2, 4), nn.BatchNorm1d(4), (2,)),
    ],
)
def test_batch_normalisation_of_any_number_of_axes(
    convolution: nn.Module, norm: nn.Module, shape: tuple[int, ...]
) -> None:
    with torch.no_grad():
        next(norm.parameters()).fill_(7.0)
    fill(convolution)
    assert (
        synflow(nn.Sequential(convolution, norm), shape=shape).value
        == synflow(convolution, shape=shape).value
    )


class PreActivation(nn.Module):
    """Normalises, then clips in place: the skip connection must not see the clipped values."""

    def __init__(self, inplace: bool) -> None:
        super().__init__()
        self.first = nn.Linear(3, 4)
        self.norm = nn.BatchNorm1d(4)
        self.clip = nn.ReLU6(inplace)
        fill(self.first)

    def forward(self, x: Tensor) -> Tensor:
        features: Tensor = 100 * self.first(x)
        clipped: Tensor = self.clip(self.norm(features))
        return features + clipped


def test_the_bypass_hands_on_a_copy() -> None:
    values = [synflow(PreActivation(inplace), shape=(3,)).value for inplace in (True, False)]
    assert values[0] == values[1]


def test_deep_networks_do_not_overflow_in_float32() -> None:
    module = nn.Sequential(*[nn.Linear(64, 64, bias=False) for _ in range(30)])
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.fill_(1e2)
    value = synflow(module, shape=(64,)).value
    assert value == pytest.approx(math.log(30 * 64) + 30 * math.log(6400), rel=1e-12)


def test_no_flow_is_minus_infinity_with_a_reason() -> None:
    module = chain(bias=False)
    nn.init.zeros_(module[2].weight)
    result = synflow(module)
    assert result.value == -math.inf
    assert result.reason == "nothing flows from the input to the outputs: log(0)"


def test_overflow_of_float64_is_said() -> None:
    module = chain(bias=False)
    for layer in (0, 2, 5):
        nn.init.constant_(module[layer].weight, 1e150)
    result = synflow(module)
    assert not math.isfinite(result.value) and "not finite" in str(result.reason)


def test_synflow_bn_keeps_torchs_error_for_one_value_a_channel() -> None:
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        synflow(nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)), "synflow_bn", shape=(3,))
