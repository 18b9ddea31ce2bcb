import pytest
import torch
from torch import nn

from hwnas.training.schedule import learning_rate, parameter_groups


def test_the_rate_rises_then_falls_along_a_cosine():
    rates = [learning_rate(step, 12, 4, 0.8) for step in range(12)]
    assert rates[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 0.8])
    assert rates[8] == pytest.approx(0.4)
    assert rates[4:] == sorted(rates[4:], reverse=True)
    assert 0 < rates[-1] < 0.04


def test_without_warm_up_it_starts_at_the_peak():
    assert learning_rate(0, 10, 0, 0.1) == 0.1


def test_only_weights_decay():
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 2))
    frozen = nn.Parameter(torch.zeros(2, 2), requires_grad=False)
    module.register_parameter("frozen", frozen)
    decaying, others = parameter_groups(module, 0.01)
    assert decaying["weight_decay"] == 0.01
    assert others["weight_decay"] == 0
    assert [id(p) for p in decaying["params"]] == [id(module[0].weight), id(module[3].weight)]
    assert len(others["params"]) == 4
