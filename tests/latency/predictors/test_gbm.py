import pickle
import time

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor

from hwnas.latency.predictors import GbmPredictor, LinearPredictor
from hwnas.latency.predictors.gbm import MODES
from hwnas.latency.predictors.trees import from_sklearn, no_trees
from hwnas.latency.predictors.validate import mape
from tests.latency.predictors.synthetic import SPACE, network_ms

NETWORKS = [architecture.network for architecture in SPACE.sample(300, seed=4)]
LATENCIES = np.array([network_ms(network) for network in NETWORKS])
BENT = LATENCIES * (1 + 0.5 * (np.median(LATENCIES) < LATENCIES))


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("leaves", [2, 8, 31])
def test_trees_equal_those_of_scikit_learn(missing, leaves):
    generator = np.random.default_rng(0)
    x = generator.normal(size=(500, 6))
    y = np.sin(3 * x[:, 0]) + x[:, 1] * x[:, 2]
    if missing:
        x[generator.random(x.shape) < 0.2] = np.nan
    model = HistGradientBoostingRegressor(max_leaf_nodes=leaves, max_iter=60).fit(x, y)
    fresh = generator.normal(size=(3000, 6))
    fresh[generator.random(fresh.shape) < 0.1] = np.nan
    tested = np.concatenate([x, fresh if missing else np.nan_to_num(fresh)])
    trees = from_sklearn(model, np.arange(6))
    np.testing.assert_allclose(trees.evaluate(tested), model.predict(tested), rtol=1e-9, atol=1e-12)


def test_columns_of_the_trees_are_those_of_the_caller():
    generator = np.random.default_rng(0)
    x = generator.normal(size=(200, 5))
    model = HistGradientBoostingRegressor(max_iter=5).fit(x[:, [4, 1]], x[:, 4])
    trees = from_sklearn(model, np.array([4, 1]))
    np.testing.assert_allclose(trees.evaluate(x), model.predict(x[:, [4, 1]]), rtol=1e-9)


def test_no_trees_are_a_constant():
    assert no_trees(2.5).evaluate(np.zeros((3, 4))).tolist() == [2.5] * 3


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_predicts(mode):
    predictor = GbmPredictor(mode)
    predictor.fit(NETWORKS[:200], LATENCIES[:200])
    assert mape(predictor.predict(NETWORKS[200:]), LATENCIES[200:]) < 0.15


def test_trees_mend_what_the_line_misses():
    line, trees = LinearPredictor(), GbmPredictor()
    for predictor in (line, trees):
        predictor.fit(NETWORKS[:200], BENT[:200])
    assert trees.mode != "line"
    errors = [mape(p.predict(NETWORKS[200:]), BENT[200:]) for p in (line, trees)]
    assert errors[1] < 0.8 * errors[0]


def test_an_additive_device_needs_no_trees():
    predictor = GbmPredictor()
    predictor.fit(NETWORKS[:60], LATENCIES[:60])
    assert predictor.mode == "line"


def test_unknown_mode_and_too_few_networks():
    with pytest.raises(ValueError, match="line, ratio, log"):
        GbmPredictor("tree")
    with pytest.raises(ValueError, match="at least 10 measured networks, not 9"):
        GbmPredictor().fit(NETWORKS[:9], LATENCIES[:9])


def test_fast_for_many_and_for_one_and_picklable():
    predictor = GbmPredictor("ratio")
    predictor.fit(NETWORKS[:200], BENT[:200])
    copied = pickle.loads(pickle.dumps(predictor))
    np.testing.assert_array_equal(copied.predict(NETWORKS), predictor.predict(NETWORKS))
    start = time.process_time()
    predictor.predict(NETWORKS * 10)
    assert time.process_time() - start < 1
    start = time.process_time()
    for network in NETWORKS:
        predictor.predict([network])
    assert (time.process_time() - start) / len(NETWORKS) < 2e-3
