import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.gaussian_process.kernels import Matern

from hwnas.latency.predictors import GpPredictor
from hwnas.latency.predictors import gaussian_process as gp
from hwnas.latency.predictors.arrays import read_arrays, write_arrays
from hwnas.latency.predictors.standardise import Standardised, different_columns
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


def process(hypers, weights, n=12, d=5, seed=0):
    generator = np.random.default_rng(seed)
    x, second = generator.standard_normal((n, d)), np.arange(d) % 2 == 1
    noise = generator.uniform(0.5, 2, n)
    return gp.GaussianProcess(x, second, generator.standard_normal(n), noise, hypers, np.array(weights))


@given(st.integers(0, 10**6), st.sampled_from(gp.GRID[::17]))
@settings(max_examples=20)
def test_posterior_by_the_textbook(seed, hyper):
    """Against inverses of whole matrices, and scikit-learn's Matérn."""
    one = process((hyper,), [1.0], seed=seed)
    x = np.random.default_rng(seed + 1).standard_normal((4, 5))
    scale = np.where(one.second, *gp.RELEVANCES[hyper.relevance][::-1])
    a, b = (side * scale / np.sqrt((scale**2).sum()) for side in (one.inputs, x))

    def prior(left, right):
        smooth = Matern(length_scale=hyper.length, nu=2.5)(left, right)
        return gp.CONSTANT + hyper.linear * left @ right.T + hyper.smooth * smooth

    inverse = np.linalg.inv(prior(a, a) + np.diag(hyper.noise * one.noise_shape + 1e-8))
    np.testing.assert_allclose(one.mean(x), prior(b, a) @ inverse @ one.targets, rtol=1e-3, atol=1e-3)
    expected = np.diag(prior(b, b) - prior(b, a) @ inverse @ prior(a, b))
    np.testing.assert_allclose(one.variance(x), expected, rtol=1e-3, atol=1e-3)


def test_points_are_averaged():
    hypers = (gp.GRID[0], gp.GRID[200], gp.GRID[500])
    x = np.random.default_rng(3).standard_normal((4, 5))
    alone = [process((hyper,), [1.0]) for hyper in hypers]
    together = process(hypers, [0.5, 0.3, 0.2])
    means = np.array([one.mean(x) for one in alone])
    np.testing.assert_allclose(together.mean(x), [0.5, 0.3, 0.2] @ means, rtol=1e-9)
    within = np.array([one.variance(x) for one in alone])
    between = (means - together.mean(x)) ** 2
    np.testing.assert_allclose(together.variance(x), [0.5, 0.3, 0.2] @ (within + between), rtol=1e-6)


def test_likely_points_are_chosen():
    """A line with little noise is recognised as such, and irrelevant columns are left out."""
    generator = np.random.default_rng(0)
    x, second = generator.standard_normal((40, 6)), np.arange(6) >= 3
    targets = x[:, :3] @ [0.3, -0.2, 0.4] + 0.01 * generator.standard_normal(40)
    found = gp.condition(x, second, targets, np.ones(40))
    assert found.weights.sum() == pytest.approx(1) and len(found.weights) <= gp.KEPT
    assert found.weights[[gp.RELEVANCES[h.relevance] == (1.0, 0.0) for h in found.hypers]].sum() > 0.9
    assert 1e-5 < found.noise < 1e-3
    fresh = generator.standard_normal((50, 6))
    assert np.abs(found.mean(fresh) - fresh[:, :3] @ [0.3, -0.2, 0.4]).max() < 0.05


def test_predictions_on_fresh_networks(fitted):
    expected = np.array([network_ms(network) for network in NETWORKS[30:]])
    assert np.abs(fitted.predict(NETWORKS[30:]) / expected - 1).mean() < 0.02


def test_far_networks_are_less_certain(fitted):
    from hwnas.spaces import MobileNetV2

    far = [a.network for a in MobileNetV2(resolution=64, classes=10).sample(5, seed=0)]
    known = fitted.relative_std(NETWORKS[:30])
    assert (known > 0).all() and fitted.relative_std(far).min() > 2 * known.max()


def test_the_scale_of_latencies_does_not_matter(fitted):
    other = GpPredictor()
    other.fit(NETWORKS[:30], 1000 * measured(NETWORKS)[:30])
    np.testing.assert_allclose(other.predict(NETWORKS), 1000 * fitted.predict(NETWORKS), rtol=1e-9)
    np.testing.assert_allclose(other.relative_std(NETWORKS), fitted.relative_std(NETWORKS), rtol=1e-6)


@pytest.mark.parametrize(
    "field, change",
    [
        ("hypers", lambda a: -a),
        ("hypers", lambda a: a + 0.5),
        ("weights", lambda a: a * 2),
        ("noise_shape", lambda a: a * 0),
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


def test_columns_that_say_the_same_are_taken_once():
    base = np.random.default_rng(0).standard_normal(9)
    x = np.stack([base, 3 * base + 1, np.ones(9), -base, base**2], axis=1)
    columns = different_columns(x)
    assert columns.tolist() == [0, 3, 4]
    scaled = Standardised.of(x, columns)(x)
    np.testing.assert_allclose([scaled.mean(axis=0), scaled.std(axis=0)], [[0] * 3, [1] * 3], atol=1e-12)
