import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hwnas.proxies import Proxy, ProxyResult, score
from hwnas.proxies.measures.cv import cv_with

from .mixture import Mixture
from .networks import CLASSES, batch, chain


def cv(module: nn.Module, images: int = 24, proxy: str | Proxy = "cv", seed: int = 0) -> ProxyResult:
    inputs, labels = batch(images)
    return next(iter(score(module, inputs, labels, [proxy], seed=seed).values()))


def by_definition(module: nn.Module, inits: int, images: int = 24) -> float:
    inputs, labels = batch(images)
    accuracies = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for _ in range(inits):
            for part in module.modules():
                if hasattr(part, "reset_parameters"):
                    part.reset_parameters()
            accuracies.append(float((module(inputs).argmax(1) == labels).double().mean()))
    return float(np.std(accuracies) / np.mean(accuracies))


@pytest.mark.parametrize("inits", [4, 7])
def test_by_definition(inits: int) -> None:
    result = cv(Mixture(), proxy=cv_with(inits=inits))
    assert result.value == pytest.approx(by_definition(Mixture(), inits), rel=1e-12)
    assert (result.proxy, result.higher_is_better, result.mode) == (f"cv(inits={inits})", False, "train")
    assert result.value > 0


def test_the_default_is_100_initialisations() -> None:
    module = chain(normalised=True)
    assert cv(module).value == pytest.approx(by_definition(chain(normalised=True), 100), rel=1e-12)


def test_the_modules_own_weights_and_mode_do_not_matter() -> None:
    few = cv_with(inits=5)
    values = {cv(module, proxy=few).value for module in (chain(seed=0), chain(seed=1), chain().eval())}
    assert len(values) == 1
    assert cv(chain(), proxy=few, seed=1).value not in values


class Scale(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones((), dtype=torch.float64))
        self.inner = chain()

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.inner(x) * self.gain
        return logits


def test_parameters_that_cannot_be_drawn_anew_are_named() -> None:
    with pytest.raises(ValueError, match=r"module: no method reset_parameters\(\) in 1; add one"):
        cv(nn.Sequential(nn.Identity(), Scale()))
    normed = nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(192, CLASSES)).double())
    with pytest.raises(ValueError, match=r"in 1\.parametrizations\.weight"):
        cv(nn.Sequential(nn.Flatten(), *normed))


class Fixed(nn.Module):
    """Answers one class whatever its weights."""

    def __init__(self, answer: float) -> None:
        super().__init__()
        self.inner = nn.Linear(3, CLASSES).double()
        self.answer = answer

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.inner(x.mean((2, 3))) * 0
        logits[:, 0] = self.answer
        return logits


def test_undefined_values_have_a_reason() -> None:
    inputs, labels = batch(8)
    few = cv_with(inits=3)
    wrong, right = labels.clamp_min(1), torch.zeros_like(labels)
    never = score(Fixed(1.0), inputs, wrong, [few])[few.name]
    assert math.isnan(never.value) and never.reason == "the accuracy is 0 with all 3 initialisations"
    nothing = score(Fixed(math.nan), inputs, right, [few])[few.name]
    assert math.isnan(nothing.value) and nothing.reason == "an output of the untrained network is NaN"
    always = score(Fixed(1.0), inputs, right, [few])[few.name]
    assert (always.value, always.note) == (0.0, "the accuracy is the same with every initialisation")


def test_bad_arguments_are_named() -> None:
    inputs, labels = batch()
    with pytest.raises(ValueError, match="inits: 1; the accuracy varies over two or more"):
        cv_with(inits=1)
    with pytest.raises(ValueError, match="targets: cv counts right answers; pass int64 labels"):
        score(chain(), inputs, F.one_hot(labels, CLASSES).double(), ["cv"])
    with pytest.raises(ValueError, match="targets: labels from 0 to 9, for 5 outputs"):
        score(chain(), inputs, torch.tensor([0, 9, 1, 1, 1, 1]), ["cv"])
