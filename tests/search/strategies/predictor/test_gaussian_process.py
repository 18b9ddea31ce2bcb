import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF

from hwnas.search.strategies.predictor.features import Features
from hwnas.search.strategies.predictor.gaussian_process import Kernel, Posterior, fitted
from tests.search.strategies.told import Sum
from tests.search.toy import Toy

SPACE = Toy()
EVERYTHING = SPACE.sample(400, seed=0)
KERNEL = Kernel(1.0, 0.3, 1e-2)


@pytest.fixture(scope="module")
def candidates():
    return Features.of(SPACE, [Sum()], EVERYTHING)(EVERYTHING)


def part(candidates, rows):
    architectures = [candidates.architectures[row] for row in rows]
    return Features.of(SPACE, [Sum()], EVERYTHING)(architectures)


def values(n, seed=1):
    drawn = np.random.default_rng(seed).normal(size=n)
    return (drawn - drawn.mean()) / drawn.std()


def test_means_and_deviations_are_those_of_scikit_learn(candidates):
    targets = values(30)
    mean, std = Posterior(KERNEL, part(candidates, range(30)), candidates, 0).predict(
        list(range(30)), targets
    )
    peer = GaussianProcessRegressor(RBF(np.sqrt(0.5)), alpha=KERNEL.noise, optimizer=None)
    peer.fit(KERNEL.inputs(candidates)[:30], targets)
    expected, deviation = peer.predict(KERNEL.inputs(candidates), return_std=True)
    gram = KERNEL.between(KERNEL.inputs(candidates)[:30], KERNEL.inputs(candidates)[:30])
    scale = targets @ np.linalg.solve(gram + KERNEL.noise * np.eye(30), targets) / 30
    np.testing.assert_allclose(mean, expected, atol=1e-9)
    np.testing.assert_allclose(std, deviation * np.sqrt(scale), atol=1e-6)


def test_joined_one_by_one_is_the_same_as_at_once(candidates):
    grown = Posterior(KERNEL, part(candidates, range(10)), candidates, 8)
    for row in range(10, 18):
        grown.join(part(candidates, [row]))
    at_once = Posterior(KERNEL, part(candidates, range(18)), candidates, 0)
    for a, b in zip(
        grown.predict(range(18), values(18)), at_once.predict(range(18), values(18)), strict=True
    ):
        np.testing.assert_allclose(a, b, atol=1e-9)


def test_proposals_under_way_change_deviations_and_no_mean(candidates):
    targets = values(12)
    without = Posterior(KERNEL, part(candidates, range(12)), candidates, 0).predict(range(12), targets)
    beside = Posterior(KERNEL, part(candidates, range(15)), candidates, 0).predict(range(12), targets)
    np.testing.assert_allclose(beside[0], without[0], atol=1e-9)
    assert (beside[1] <= without[1] + 1e-12).all()
    assert (beside[1][12:15] < 0.5 * without[1][12:15]).all()


def test_the_scores_weigh_where_they_tell_the_values(candidates):
    known = part(candidates, range(40))
    told = known.scores[:, 0]
    assert fitted(known, told).weight == 1.0
    assert fitted(known, told).noise == 1e-3
    assert fitted(known, told + 0.5 * values(40)).noise == 1e-1
