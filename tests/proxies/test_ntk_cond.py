import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from hwnas.proxies import ProxyResult, score

from .mixture import Mixture
from .networks import CLASSES, ManyParts, batch, chain, encoder
from .test_golden import CASES, DROPOUT_IS_ACTIVE, VALUES, build


def ntk_cond(module: nn.Module, inputs: Tensor) -> ProxyResult:
    return score(module, inputs, proxies=["ntk_cond"])["ntk_cond"]


@pytest.mark.parametrize(("name", "seed", "dtype", "mode"), CASES)
def test_values_of_the_published_implementation(name: str, seed: str, dtype: str, mode: str) -> None:
    if (name, mode) == DROPOUT_IS_ACTIVE:
        pytest.skip("the reference's dropout mask is unknown")
    expected = VALUES[name][seed][dtype][mode]["tenas.get_ntk_n"]
    module, inputs, _ = build(name, seed, dtype, mode)
    result = ntk_cond(module, inputs)
    assert result.value == pytest.approx(expected, rel=1e-9 if dtype == "float64" else 1e-4)
    assert (result.mode, result.higher_is_better, result.note) == (mode, False, None)


def by_definition(module: nn.Module, inputs: Tensor) -> float:
    rows = []
    for index in range(len(inputs)):
        module.zero_grad()
        module(inputs)[index].sum().backward()
        named = module.named_parameters()
        rows.append(torch.cat([p.grad.flatten() for n, p in named if "weight" in n and p.grad is not None]))
    gradients = torch.stack(rows).numpy()
    return float(np.linalg.cond(gradients @ gradients.T))


@pytest.mark.parametrize("module", [Mixture(), chain(), chain(normalised=True)])
def test_by_definition(module: nn.Module) -> None:
    inputs, _ = batch(4)
    result = ntk_cond(module, inputs)
    assert result.value == pytest.approx(by_definition(module, inputs), rel=1e-8)


def test_layers_used_and_skipped() -> None:
    result = ntk_cond(Mixture(), batch(4)[0])
    assert (result.layers_used, result.layers_skipped) == (6, ("orphan.weight",))
    assert ntk_cond(ManyParts(), batch(4)[0]).layers_skipped == ("orphan.weight",)
    tokens = torch.randn(3, 4, 8, generator=torch.Generator().manual_seed(0))
    assert ntk_cond(encoder(), tokens).layers_skipped == ()


@given(exponent=st.integers(-20, 20), order=st.permutations(range(4)))
@settings(max_examples=10, deadline=None)
def test_neither_the_scale_of_the_outputs_nor_the_order_matters(exponent: int, order: list[int]) -> None:
    module, (inputs, _) = chain(normalised=True), batch(4)
    scaled = score(module, inputs[order], proxies=["ntk_cond"], select_output=lambda out: out * 2.0**exponent)
    assert scaled["ntk_cond"].value == pytest.approx(ntk_cond(module, inputs).value, rel=1e-8)


def test_equal_images_make_it_singular() -> None:
    inputs, _ = batch(4)
    inputs[3] = inputs[1]
    for module, images in ((chain(), inputs), (chain().float(), inputs.float())):
        result = ntk_cond(module, images)
        assert result.value == math.inf and str(result.reason).startswith("K is singular: its eigenvalues")


def test_rounding_noise_is_noted() -> None:
    inputs, _ = batch(4, dtype=torch.float32)
    inputs[3] = inputs[1] + 1e-5
    result = ntk_cond(chain().float(), inputs)
    assert result.value > 1e6
    assert result.note == "K is singular within rounding: the value is rounding noise"


class Detached(nn.Module):
    def __init__(self, *, detach: bool) -> None:
        super().__init__()
        self.head = nn.Linear(3, CLASSES).double()
        self.detach = detach

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(x.mean((2, 3)))
        return logits.detach() if self.detach else logits.log() * 0


def test_undefined_values_have_a_reason() -> None:
    nothing = ntk_cond(Detached(detach=True), batch()[0])
    assert math.isnan(nothing.value) and nothing.reason == "the outputs depend on no weight"
    assert nothing.layers_skipped == ("head.weight",)
    broken = ntk_cond(Detached(detach=False), torch.zeros(2, 3, 8, 8, dtype=torch.float64) + 1e308)
    assert math.isnan(broken.value) and broken.reason == "the gradient of an image's outputs is not finite"


def test_bad_arguments_are_named() -> None:
    inputs, _ = batch()
    with pytest.raises(ValueError, match=r"inputs: ntk_cond compares images; pass .* two or more, not 1"):
        ntk_cond(chain(), inputs[:1])
    with pytest.raises(ValueError, match=r"select_output: ntk_cond needs outputs of the shape \(6, \.\.\.\)"):
        score(chain(), inputs, proxies=["ntk_cond"], select_output=lambda out: out[0])
