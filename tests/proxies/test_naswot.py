import importlib
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from hwnas.proxies import ProxyResult, score

from .networks import CLASSES, batch, chain, encoder, fill


def naswot(module: nn.Module, inputs: Tensor) -> ProxyResult:
    return score(module, inputs, proxies=["naswot"])["naswot"]


def by_definition(codes: list[Tensor]) -> float:
    kernel = np.zeros((len(codes[0]), len(codes[0])))
    for code in codes:
        c = code.flatten(1).numpy().astype(np.float64)
        kernel += c @ c.T + (1 - c) @ (1 - c).T
    return float(np.linalg.slogdet(kernel)[1])


def test_by_definition() -> None:
    module, (inputs, _) = chain(), batch()
    first = module[0](inputs)
    second = module[2](F.relu(first))
    result = naswot(module, inputs)
    assert result.value == pytest.approx(by_definition([first > 0, second > 0]), rel=1e-12)
    assert (result.layers_used, result.layers_skipped, result.mode) == (2, (), "train")


class Twin(nn.Module):
    """Three layers with an activation between, given as a module or as a function."""

    def __init__(self, activation: object) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 6, 3)
        self.hidden = nn.Linear(6, 8)
        self.head = nn.Linear(8, CLASSES)
        self.activation = activation
        fill(self)
        self.double()

    def forward(self, x: Tensor) -> Tensor:
        features = self.activation(self.convolution(x)).mean((2, 3))
        logits: Tensor = self.head(self.activation(self.hidden(features)))
        return logits


TWINS = [
    (nn.ReLU(), F.relu),
    (nn.ReLU(), torch.relu),
    (nn.ReLU(), Tensor.relu),
    (nn.ReLU(), lambda x: x.relu()),
    (nn.ReLU(), lambda x: F.relu(x, inplace=True)),
    (nn.ReLU(inplace=True), lambda x: x.relu_()),
    (nn.ReLU(), torch.relu_),
    (nn.ReLU6(), F.relu6),
    (nn.ReLU6(inplace=True), lambda x: F.hardtanh(x, 0.0, 6.0)),
    (nn.LeakyReLU(0.2), lambda x: F.leaky_relu(x, 0.2)),
    (nn.RReLU().eval(), lambda x: F.rrelu(x, training=False)),
]


@pytest.mark.parametrize(("module", "function"), TWINS)
def test_a_functional_activation_scores_like_its_module(module: nn.Module, function: object) -> None:
    inputs, _ = batch()
    twins = [naswot(Twin(activation).eval(), inputs) for activation in (module, function)]
    assert twins[0].value == twins[1].value
    assert twins[0].layers_used == twins[1].layers_used == 2
    assert math.isfinite(twins[0].value)


def test_prelu_counts_by_the_sign_of_its_input() -> None:
    inputs, _ = batch()
    results = [naswot(Twin(activation), inputs) for activation in (nn.PReLU(), F.leaky_relu)]
    assert [r.layers_used for r in results] == [2, 2]
    assert math.isfinite(results[0].value)


class ReLUConv(nn.Sequential):
    """A wrapper whose name holds ReLU must not count as one."""


def test_a_wrapper_called_relu_is_not_counted_twice() -> None:
    inputs, _ = batch()
    wrapped = nn.Sequential(ReLUConv(*chain()))
    assert naswot(wrapped, inputs).value == naswot(chain(), inputs).value


def test_a_fused_transformer_layer_still_shows_its_relu() -> None:
    tokens = torch.randn(3, 4, 8, generator=torch.Generator().manual_seed(0))
    result = naswot(encoder(), tokens)
    assert result.layers_used == 1 and math.isfinite(result.value)


def test_a_module_used_twice_counts_twice() -> None:
    inputs, _ = batch()
    assert naswot(Twin(nn.ReLU()), inputs).layers_used == 2


@given(order=st.permutations(range(6)))
@settings(max_examples=15, deadline=None)
def test_the_order_of_the_images_does_not_matter(order: list[int]) -> None:
    module, (inputs, _) = chain(normalised=True).eval(), batch()
    assert naswot(module, inputs[order]).value == pytest.approx(naswot(module, inputs).value, rel=1e-12)


@given(exponent=st.integers(-10, 10))
@settings(max_examples=10, deadline=None)
def test_positive_scaling_of_the_images_does_not_matter_without_biases(exponent: int) -> None:
    module, (inputs, _) = chain(bias=False), batch()
    assert naswot(module, inputs * 2.0**exponent).value == naswot(module, inputs).value


@given(copies=st.integers(2, 4))
@settings(max_examples=3, deadline=None)
def test_counting_every_unit_n_times_adds_b_log_n(copies: int) -> None:
    inputs, _ = batch()

    def repeated(x: Tensor) -> Tensor:
        for _ in range(copies):
            out = F.relu(x)
        return out

    expected = naswot(Twin(F.relu), inputs).value + len(inputs) * math.log(copies)
    assert naswot(Twin(repeated), inputs).value == pytest.approx(expected, rel=1e-12)


def test_column_blocks_do_not_change_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    module, (inputs, _) = chain(), batch()
    whole = naswot(module, inputs).value
    monkeypatch.setattr(importlib.import_module("hwnas.proxies.measures.naswot"), "_COLUMNS_AT_ONCE", 7)
    assert naswot(module, inputs).value == whole


def test_two_images_with_one_code_are_singular() -> None:
    module, (inputs, _) = chain(), batch()
    inputs[4] = inputs[1]
    result = naswot(module, inputs)
    assert result.value == -math.inf
    assert result.reason == "K is singular: images 1 and 4 switch every ReLU alike"


def test_a_kernel_of_too_small_a_rank_is_singular() -> None:
    module = nn.Sequential(nn.Linear(3, 2), nn.ReLU()).double()
    with torch.no_grad():
        module[0].weight.copy_(torch.tensor([[1.0, 0, 0], [0, 1, 0]]))
        module[0].bias.zero_()
    corners = torch.tensor([[1.0, 1, 0], [1, -1, 0], [-1, 1, 0], [-1, -1, 0]], dtype=torch.float64)
    result = naswot(module, corners)
    assert result.value == -math.inf
    assert result.reason == "K is singular: its rank is 3, for 4 images"


@pytest.mark.parametrize("activation", [nn.GELU(), nn.SiLU(), nn.Hardswish(), nn.Hardtanh(), nn.Sigmoid()])
def test_other_activations_are_named_and_not_counted(activation: nn.Module) -> None:
    result = naswot(Twin(activation), batch()[0])
    assert result.value == -math.inf and "no ReLU-family" in str(result.reason)
    assert result.layers_skipped == (type(activation).__name__.lower(),)


def test_a_relu_without_the_batch_as_first_axis_is_reported() -> None:
    inputs, _ = batch()
    result = naswot(Twin(lambda x: F.relu(x.transpose(0, 1)).transpose(0, 1)), inputs)
    assert result.layers_skipped == ("relu of shape (8, 6)",)


def test_nan_is_said() -> None:
    module = chain()
    nn.init.constant_(module[2].weight, math.nan)
    result = naswot(module, batch()[0])
    assert math.isnan(result.value) and result.reason == "the input of a ReLU holds NaN"


def test_one_image_is_too_few() -> None:
    with pytest.raises(
        ValueError, match="inputs: naswot compares images; pass a batch of two or more, not 1"
    ):
        score(chain(), batch(1)[0], proxies=["naswot"])


@pytest.mark.parametrize(
    "clamp", [lambda x: x.clamp(min=0), lambda x: x.clamp_min(0), lambda x: x.clamp(0, 9)]
)
def test_a_clamp_from_zero_is_a_relu(clamp) -> None:
    class Clamped(torch.nn.Module):
        def __init__(self, activation) -> None:
            super().__init__()
            self.linear, self.activation = torch.nn.Linear(12, 40), activation

        def forward(self, x):
            return self.activation(self.linear(x))

    torch.manual_seed(0)
    module, inputs = Clamped(torch.relu), torch.randn(5, 12)
    expected = score(module, inputs, proxies=["naswot"])["naswot"]
    module.activation = clamp
    found = score(module, inputs, proxies=["naswot"])["naswot"]
    assert (found.value, found.layers_used, found.layers_skipped) == (expected.value, 1, ())


def test_a_clamp_from_elsewhere_has_no_code_and_is_named() -> None:
    class Shifted(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = torch.nn.Linear(12, 40)

        def forward(self, x):
            return torch.relu(self.linear(x)).clamp(min=1).maximum(x.sum())

    found = score(Shifted(), torch.randn(5, 12), proxies=["naswot"])["naswot"]
    assert (found.layers_used, found.layers_skipped) == (1, ("clamp", "maximum"))
