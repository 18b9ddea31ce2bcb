import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from hwnas.proxies import ProxyResult, score

from .mixture import Mixture, weights
from .networks import CLASSES, SHAPE, ManyParts, batch, chain, fill
from .test_golden import CASES, VALUES, build

SIGNS_OF_ROUNDING = ("inverted_bn", "train")  # gradients that are 0 but for rounding: 0.2 between dtypes


def grad_sign(module: nn.Module, name: str = "grad_sign", **arguments: object) -> ProxyResult:
    inputs, labels = batch()
    return score(module, inputs, labels, [name], **arguments)[name]


@pytest.mark.parametrize(("name", "seed", "dtype", "mode"), CASES)
def test_values_of_the_published_implementation(name: str, seed: str, dtype: str, mode: str) -> None:
    expected = VALUES[name][seed][dtype][mode]["gradsign.get_grad_conflict(mean)"]
    module, inputs, labels = build(name, seed, dtype, mode)
    results = score(module, inputs, labels, ["grad_sign", "grad_sign_mean"])
    mean, total = results["grad_sign_mean"], results["grad_sign"]
    assert mean.mode == mode
    if isinstance(expected, dict):
        assert "Expected more than 1 value per channel" in expected["error"]
        assert math.isnan(mean.value)
        assert mean.reason == "a normalisation in train mode has one value per channel of an image"
        return
    tolerance = 0.25 if (name, mode) == SIGNS_OF_ROUNDING else 1e-6
    assert mean.value == pytest.approx(expected, rel=tolerance)
    covered = [m.weight for m in module.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    assert total.value == pytest.approx(mean.value * sum(w.numel() for w in covered), rel=1e-12)


def by_definition(module: nn.Module, wanted: list[nn.Parameter]) -> float:
    signs = [torch.zeros_like(weight) for weight in wanted]
    for image, label in zip(*batch(), strict=True):
        found = torch.autograd.grad(F.cross_entropy(module(image[None]), label[None]), wanted)
        signs = [total + gradient.sign() for total, gradient in zip(signs, found, strict=True)]
    return float(sum(total.abs().sum() for total in signs))


def test_by_definition() -> None:
    module = Mixture()
    result = grad_sign(module)
    assert result.value == by_definition(module, list(weights(module).values()))
    assert (result.layers_used, result.layers_skipped) == (4, ("orphan",))


def test_an_orphan_counts_in_the_mean() -> None:
    module = Mixture()
    numbers = sum(weight.numel() for weight in weights(module).values()) + module.orphan.weight.numel()
    expected = grad_sign(module).value / numbers
    assert grad_sign(module, "grad_sign_mean").value == pytest.approx(expected, rel=1e-12)


def test_the_mode_is_the_callers() -> None:
    train, evaluate = (grad_sign(chain(normalised=True).train(mode)) for mode in (True, False))
    assert (train.mode, evaluate.mode) == ("train", "eval")
    assert train.value != evaluate.value


@given(order=st.permutations(range(6)), exponent=st.integers(-20, 20))
@settings(max_examples=10, deadline=None)
def test_neither_the_order_of_the_images_nor_the_scale_matters(order: list[int], exponent: int) -> None:
    inputs, labels = batch()

    def scaled(outputs: Tensor, targets: Tensor) -> Tensor:
        return F.cross_entropy(outputs, targets) * 2.0**exponent

    found = score(chain(), inputs[order], labels[order], ["grad_sign"], loss=scaled)["grad_sign"]
    assert found.value == grad_sign(chain()).value


def test_equal_images_agree_everywhere() -> None:
    inputs, labels = batch()
    inputs, labels = inputs[:1].repeat(3, 1, 1, 1), labels[:1].repeat(3)
    module = nn.Sequential(nn.Flatten(), fill(nn.Linear(192, CLASSES).double()))
    assert score(module, inputs, labels, ["grad_sign_mean"])["grad_sign_mean"].value == 3.0


class Detached(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(3, CLASSES).double()

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(x.mean((2, 3)))
        return logits.detach()


def test_undefined_values_have_a_reason() -> None:
    nothing = grad_sign(Detached())
    assert math.isnan(nothing.value) and nothing.layers_skipped == ("head",)
    assert nothing.reason == "the outputs depend on no weight of a convolution or linear layer"
    broken = chain()
    nn.init.constant_(broken[5].bias, math.nan)
    assert grad_sign(broken).reason == "a gradient of layer '0' is not finite"


def test_another_value_error_is_not_taken_for_a_normalisation() -> None:
    with pytest.raises(ValueError, match=r"targets: labels from 5 to 9, for 5 outputs"):
        score(ManyParts(), batch()[0], batch()[1] + CLASSES, ["grad_sign"])


def test_one_image_is_too_few() -> None:
    inputs, labels = batch(1)
    assert inputs.shape == (1, *SHAPE)
    with pytest.raises(ValueError, match=r"inputs: grad_sign compares images; pass .* two or more, not 1"):
        score(chain(), inputs, labels, ["grad_sign"])
