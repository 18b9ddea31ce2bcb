import numpy as np
import pytest

from hwnas.search.strategies.predictor.ensemble import MEMBERS, pairwise, squared_error, train
from hwnas.spaces import NASBench201


def log_sigmoid_loss(outputs, targets):
    pairs = [(i, j) for i in range(len(targets)) for j in range(len(targets)) if targets[i] > targets[j]]
    return np.mean([np.log1p(np.exp(-(outputs[i] - outputs[j]))) for i, j in pairs])


def half_square_loss(outputs, targets):
    return np.mean((outputs - targets) ** 2) / 2


@pytest.mark.parametrize(
    ("gradient", "loss"), [(squared_error, half_square_loss), (pairwise, log_sigmoid_loss)]
)
def test_gradients_are_those_of_the_losses(gradient, loss):
    generator = np.random.default_rng(0)
    outputs, targets = generator.normal(size=7), np.array([3.0, 1.0, 1.0, 2.0, -1.0, 0.0, 5.0])
    found = gradient(outputs[None], targets)[0]
    for i, step in enumerate(1e-6 * np.eye(7)):
        slope = (loss(outputs + step, targets) - loss(outputs - step, targets)) / 2e-6
        assert found[i] == pytest.approx(slope, abs=1e-7)


@pytest.mark.parametrize("loss", [squared_error, pairwise])
def test_learns_to_rank_networks_that_it_has_not_seen(loss):
    space = NASBench201()
    architectures = space.sample(400, seed=3)
    inputs = space.one_hot(architectures)
    truth = inputs @ np.random.default_rng(1).normal(size=inputs.shape[1])
    ensemble = train(inputs[:100], (truth[:100] - truth.mean()) / truth.std(), loss, np.random.default_rng(0))
    outputs = ensemble(inputs[100:])
    assert outputs.shape == (MEMBERS, 300)
    assert np.corrcoef(outputs.mean(axis=0), truth[100:])[0, 1] > 0.9
    assert outputs.std(axis=0).min() > 0


def test_equal_values_teach_pairs_nothing():
    assert not pairwise(np.random.default_rng(0).normal(size=(2, 5)), np.ones(5)).any()
