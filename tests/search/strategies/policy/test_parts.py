import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hwnas.search.strategies.adam import Adam
from hwnas.search.strategies.policy.activity import active_decisions
from hwnas.search.strategies.policy.baseline import Baseline
from hwnas.search.strategies.policy.ranks import RunningRank
from hwnas.spaces import NASBench201, space
from tests.search.strategies.policy.spaces import Deep


@given(st.floats(0, 0.99), st.floats(-100, 100))
def test_the_first_average_is_the_first_reward(momentum, reward):
    assert Baseline(momentum).updated(reward) == pytest.approx(reward)


def test_the_average_moves_by_a_tenth_in_the_end():
    baseline = Baseline(0.9)
    for _ in range(1000):
        baseline.updated(1.0)
    assert baseline.updated(2.0) == pytest.approx(1.1)


def test_ranks_have_no_scale():
    one, other = RunningRank(), RunningRank()
    scores = [3.0, 1.0, 2.0, 2.0, 10.0]
    assert [one.of(score) for score in scores] == [0.5, 0.25, 0.5, 0.5, 0.9]
    assert [other.of(np.exp(score)) for score in scores] == [0.5, 0.25, 0.5, 0.5, 0.9]


def test_adam_steps_as_torchs():
    generator = np.random.default_rng(0)
    parameter = torch.nn.Parameter(torch.zeros(4, dtype=torch.float64))
    optimizer = torch.optim.Adam([parameter], lr=0.01)
    values = np.zeros(4)
    mine = Adam(values)
    for _ in range(20):
        gradient = generator.standard_normal(4)
        values += 0.01 * mine.direction(gradient)
        parameter.grad = torch.from_numpy(-gradient)
        optimizer.step()
    assert values == pytest.approx(parameter.detach().numpy())


def test_every_decision_of_nasbench201_has_an_effect():
    assert active_decisions(NASBench201(), (0,) * 6).all()


def test_layers_beyond_the_depth_have_none():
    assert active_decisions(Deep(), (0, 0, 0)).tolist() == [True, False, False]
    assert active_decisions(Deep(), (1, 0, 0)).tolist() == [True, True, False]
    assert active_decisions(Deep(), (2, 0, 1)).tolist() == [True, True, True]


@given(st.integers(0, 2**32 - 1))
def test_activity_is_what_every_change_says(seed):
    mobile = space("ofa_mobilenetv3")
    architecture = mobile.random(np.random.default_rng(seed))
    encoding, active = architecture.encoding, active_decisions(mobile, architecture.encoding)
    for position, choices in enumerate(mobile.choices):
        results = {
            mobile.effective((*encoding[:position], index, *encoding[position + 1 :]))
            for index in range(len(choices))
        }
        assert active[position] == (len(results) > 1)
