import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwnas.latency.predictors import LinearPredictor, UnseenLayersWarning
from hwnas.latency.predictors.ridge import fit_ridge, importance
from hwnas.latency.predictors.validate import held_out_error
from hwnas.network import Builder
from tests.latency.predictors.synthetic import SPACE, network_ms

GENERATOR = np.random.default_rng(0)
NETWORKS = [architecture.network for architecture in SPACE.sample(120, seed=2)]
LATENCIES = np.array([network_ms(network, 0.005, GENERATOR) for network in NETWORKS])


def fitted(n=40, scale=1.0):
    predictor = LinearPredictor()
    predictor.fit(NETWORKS[:n], scale * LATENCIES[:n])
    return predictor


def test_an_additive_device_is_learnt_from_few_networks():
    error = held_out_error(fitted().predict(NETWORKS[40:]), LATENCIES[40:])
    assert error.mape < 0.02 and error.spearman > 0.98


@settings(max_examples=15, deadline=None)
@given(st.floats(1e-4, 1e4))
def test_scale_equivariant(scale):
    np.testing.assert_allclose(
        fitted(scale=scale).predict(NETWORKS), scale * fitted().predict(NETWORKS), rtol=1e-6
    )


def test_left_out_predictions_are_those_of_a_fit_without_the_sample():
    x = GENERATOR.normal(size=(40, 3))
    y = 10 + x @ [1.0, 2.0, -1.0]
    y[7] *= 1.2
    w = importance(y)
    design = np.column_stack([np.ones(40), x])
    kept = np.arange(40) != 7
    solution = np.linalg.lstsq((design * w[:, None])[kept], (y * w)[kept], rcond=None)[0]
    assert fit_ridge(x, y).left_out[7] == pytest.approx(design[7] @ solution, rel=5e-3)


def test_predictions_stop_above_zero():
    b = Builder()
    tiny = b.build(b.relu(b.conv(b.input(3, 2, 2), 1)))
    assert fitted().predict([tiny])[0] >= 0.1 * LATENCIES[:40].min() * (1 - 1e-12)


def test_layers_never_seen_are_named():
    b = Builder()
    with pytest.warns(UnseenLayersWarning, match="pooling"):
        fitted().predict([b.build(b.max_pool(b.input(3, 8, 8), kernel=2, stride=2))])


def test_too_few_or_unequal_numbers_are_refused():
    with pytest.raises(ValueError, match="at least 4 measured networks, not 3"):
        LinearPredictor().fit(NETWORKS[:3], LATENCIES[:3])
    with pytest.raises(ValueError, match="for 5 networks"):
        LinearPredictor().fit(NETWORKS[:5], LATENCIES[:4])
    with pytest.raises(ValueError, match=r"network 2 is nan ms"):
        LinearPredictor().fit(NETWORKS[:5], np.array([1, 2, np.nan, 4, 5]))
    with pytest.raises(RuntimeError, match="not fitted"):
        LinearPredictor().predict(NETWORKS[:1])
