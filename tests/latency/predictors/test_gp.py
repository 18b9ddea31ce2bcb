import numpy as np
import pytest

from hwnas.latency.predictors import GpPredictor
from hwnas.latency.predictors.arrays import Arrays, read_arrays, write_arrays
from hwnas.latency.predictors.mixture import KEPT, MOST_TARGETS
from hwnas.latency.predictors.standardise import Standardised, different_columns
from hwnas.spaces import MobileNetV2
from tests.latency.predictors.synthetic import SPACE, network_ms

NETWORKS = [architecture.network for architecture in SPACE.sample(60, seed=1)]


def measured(networks, noise=0.02):
    generator = np.random.default_rng(0)
    return np.array([network_ms(network, noise, generator) for network in networks])


@pytest.fixture(scope="module")
def fitted():
    predictor = GpPredictor()
    predictor.fit(NETWORKS[:30], measured(NETWORKS)[:30])
    return predictor


def test_predictions_on_fresh_networks(fitted):
    expected = np.array([network_ms(network) for network in NETWORKS[30:]])
    assert np.abs(fitted.predict(NETWORKS[30:]) / expected - 1).mean() < 0.02


def test_far_networks_are_less_certain(fitted):
    far = [a.network for a in MobileNetV2(resolution=64, classes=10).sample(5, seed=0)]
    known = fitted.prediction(NETWORKS[:30]).relative_std
    assert (known > 0).all() and fitted.prediction(far).relative_std.min() > 2 * known.max()


def test_a_prediction_is_what_is_predicted(fitted):
    np.testing.assert_array_equal(fitted.prediction(NETWORKS).latency_ms, fitted.predict(NETWORKS))


def test_one_disturbed_measurement_moves_the_others_little():
    disturbed = measured(NETWORKS)[:30]
    disturbed[4] *= 4
    predictor = GpPredictor()
    predictor.fit(NETWORKS[:30], disturbed)
    expected = np.array([network_ms(network) for network in NETWORKS[30:]])
    assert np.abs(predictor.predict(NETWORKS[30:]) / expected - 1).mean() < 0.04


def test_the_scale_of_latencies_does_not_matter(fitted):
    other = GpPredictor()
    other.fit(NETWORKS[:30], 1000 * measured(NETWORKS)[:30])
    found, expected = other.prediction(NETWORKS), fitted.prediction(NETWORKS)
    np.testing.assert_allclose(found.latency_ms, 1000 * expected.latency_ms, rtol=1e-6)
    np.testing.assert_allclose(found.relative_std, expected.relative_std, rtol=1e-6)


def test_equal_networks_get_their_typical_latency():
    predictor = GpPredictor()
    predictor.fit([NETWORKS[0]] * 6, np.array([1.0, 1.01, 0.99, 1.0, 1.02, 0.98]))
    assert predictor.predict(NETWORKS[:1]) == pytest.approx(1, rel=0.01)


def test_saved_and_loaded_it_says_the_same(fitted, tmp_path):
    fitted.save(tmp_path)
    found, expected = GpPredictor.load(tmp_path).prediction(NETWORKS), fitted.prediction(NETWORKS)
    np.testing.assert_allclose(found.latency_ms, expected.latency_ms, rtol=1e-9)
    np.testing.assert_allclose(found.relative_std, expected.relative_std, rtol=1e-6)


@pytest.mark.parametrize(
    "field, change",
    [
        ("kernel_variances", lambda a: -a),
        ("kernel_variances", lambda a: a * 1e300),
        ("kernel_variances", lambda a: a[:, 1:]),
        ("noise_variances", lambda a: a * 0),
        ("weights", lambda a: a * 2),
        ("weights", lambda a: np.full(KEPT + 1, 1 / (KEPT + 1))),
        ("precisions", lambda a: a * 0),
        ("targets", lambda a: -a),
        ("targets", lambda a: np.ones(MOST_TARGETS + 1)),
        ("inputs", lambda a: a * 1e300),
        ("inputs", lambda a: a[1:]),
        ("spread", lambda a: -a),
        ("columns", lambda a: a + 1000),
        ("scale_and_floor_ms", lambda a: -a),
        ("seen", lambda a: a & False),
    ],
)
def test_damaged_arrays_are_refused_by_field(fitted, tmp_path, field, change):
    arrays = fitted.arrays()
    write_arrays(tmp_path / "a.npz", {**arrays, field: change(arrays[field])})
    with pytest.raises(ValueError, match=rf"a\.npz: field '{field}'"):
        GpPredictor.from_arrays(read_arrays(tmp_path / "a.npz"))


def test_more_points_than_so_many_targets_get_are_refused_before_they_are_inverted(fitted):
    """Sixty-four inverses of four thousand targets would take 8 GB."""
    arrays, n = fitted.arrays(), MOST_TARGETS
    inputs = np.zeros((n, len(arrays["columns"])))
    many = {"targets": np.ones(n), "precisions": np.ones(n), "inputs": inputs}
    with pytest.raises(ValueError, match="field 'weights' must be 1 to 1 shares"):
        GpPredictor.from_arrays(Arrays("a", {**arrays, **many}))


def test_it_must_be_fitted_first():
    with pytest.raises(RuntimeError, match="call fit first"):
        GpPredictor().prediction(NETWORKS)


def test_columns_that_say_the_same_are_taken_once():
    base = np.random.default_rng(0).standard_normal(9)
    x = np.stack([base, 3 * base + 1, np.ones(9), -base, base**2], axis=1)
    columns = different_columns(x)
    assert columns.tolist() == [0, 3, 4]
    scaled = Standardised.of(x, columns)(x)
    np.testing.assert_allclose([scaled.mean(axis=0), scaled.std(axis=0)], [[0] * 3, [1] * 3], atol=1e-12)
