import math
from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from hwnas.differentiable.oneshot.learner import Learner, one_network
from hwnas.differentiable.oneshot.settings import OneShotSettings
from hwnas.spaces import NASBench201
from hwnas.training import TrainingSettings

SPACE = NASBench201(channels=4, cells=1, resolution=8, classes=4)
SUPERNETWORK = SPACE.supernetwork()
SETTINGS = OneShotSettings(TrainingSettings(momentum=0.0, weight_decay=0.0, label_smoothing=0.1))


def learner(settings: OneShotSettings = SETTINGS) -> Learner:
    return Learner(SUPERNETWORK, settings, torch.device("cpu"))


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(4, 3, 8, 8, generator=generator), torch.arange(4)


def networks(count: int) -> list[dict[str, int]]:
    return [SUPERNETWORK.choices(one) for one in SPACE.sample(count, seed=0)]


def test_others_learn_the_outputs_of_the_first():
    (images, labels), drawn = batch(), networks(3)
    by_hand = learner().supernet
    outputs = [by_hand(images, one_network(SUPERNETWORK, choices)) for choices in drawn]
    first = F.cross_entropy(outputs[0], labels, label_smoothing=0.1)
    teacher = outputs[0].detach().softmax(1)
    others = [-(teacher * one.log_softmax(1)).sum(1).mean() for one in outputs[1:]]
    ((first + sum(others)) / 3).backward()
    trained = learner()
    assert trained.learn(images, labels, drawn, 0.1) == pytest.approx(first.item())
    learnt = 0
    for (name, start), end in zip(by_hand.named_parameters(), trained.supernet.parameters(), strict=True):
        moved = start if start.grad is None else start - 0.1 * start.grad
        assert torch.allclose(end, moved, atol=1e-6), name
        learnt += start.grad is not None
    assert learnt > 5


def test_weights_of_what_is_not_drawn_stay_as_they_are():
    settings = OneShotSettings(replace(SETTINGS.training, momentum=0.9, weight_decay=0.1))
    trained, (images, labels), (drawn,) = learner(settings), batch(), networks(1)
    before = {name: weight.clone() for name, weight in trained.supernet.named_parameters()}
    trained.learn(images, labels, [drawn], 0.1)
    used = {
        f"body.{path}.candidates.{number}."
        for path, candidates in SUPERNETWORK.mixtures.items()
        for number, candidate in enumerate(candidates)
        if candidate.is_chosen(drawn)
    }
    others = [name for name in before if ".candidates." in name and not name.startswith(tuple(used))]
    after = dict(trained.supernet.named_parameters())
    assert others
    assert all(torch.equal(before[name], after[name]) for name in others)


def test_nothing_is_learnt_of_a_loss_that_is_not_finite():
    trained, (images, labels) = learner(), batch()
    before = [weight.clone() for weight in trained.supernet.parameters()]
    assert math.isnan(trained.learn(images * torch.nan, labels, networks(2), 0.1))
    assert all(map(torch.equal, before, trained.supernet.parameters()))


def test_a_long_gradient_is_clipped():
    settings = OneShotSettings(replace(SETTINGS.training, gradient_clip=1e-3))
    trained, (images, labels) = learner(settings), batch()
    before = [weight.clone() for weight in trained.supernet.parameters()]
    trained.learn(images, labels, networks(2), 1.0)
    moved = torch.stack(
        [(end - start).norm() for start, end in zip(before, trained.supernet.parameters(), strict=True)]
    )
    assert float(moved.detach().norm()) == pytest.approx(1e-3, rel=1e-2)
