import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwnas.latency.predictors import LinearPredictor, predictor_class
from hwnas.latency.predictors.validate import mape, spearman
from hwnas.latency.transfer.encoder import Encoder
from hwnas.latency.transfer.predictor import TransferPredictor
from hwnas.spaces import NASBench201
from tests.latency.predictors.synthetic import SPACE, network_ms

NETWORKS = [architecture.network for architecture in SPACE.sample(80, seed=0)]
MS = np.array([network_ms(network) for network in NETWORKS])
ODD_MS = np.array([0.1 + 0.02 * len(network.layers) for network in NETWORKS])


class Known(LinearPredictor):
    """A reference that says what it is told."""

    def __init__(self, values):
        super().__init__()
        self.by_key = dict(zip([network.key for network in NETWORKS], values, strict=True))

    def predict(self, networks):
        return np.array([self.by_key[network.key] for network in networks])


def fitted(n=12, references=(), ms=MS):
    predictor = TransferPredictor(Encoder.of(NETWORKS, references))
    predictor.fit(NETWORKS[:n], ms[:n])
    return predictor


def test_twelve_measurements_tell_the_rest():
    assert mape(fitted().predict(NETWORKS[12:]), MS[12:]) < 0.03


def test_a_reference_that_is_like_the_device_helps():
    odd = ODD_MS * (1 + 0.3 * np.sin(np.arange(80) * 2.4))
    like = Known(odd * 3.7)
    alone, helped = (fitted(8, references, odd) for references in ((), (like,)))
    errors = [mape(found.predict(NETWORKS[8:]), odd[8:]) for found in (alone, helped)]
    assert errors[1] < 0.5 * errors[0]
    assert spearman(helped.predict(NETWORKS[8:]), odd[8:]) > 0.9


@pytest.mark.parametrize("seed", range(3))
def test_references_that_are_unlike_the_device_do_no_harm(seed):
    noise = np.random.default_rng(seed).uniform(1, 9, (3, 80))
    alone = mape(fitted().predict(NETWORKS[12:]), MS[12:])
    misled = mape(fitted(12, [Known(row) for row in noise]).predict(NETWORKS[12:]), MS[12:])
    assert misled < alone + 0.02


@settings(max_examples=10)
@given(st.floats(1e-3, 1e3))
def test_predictions_scale_with_the_unit(factor):
    scaled = fitted(ms=MS * factor)
    assert scaled.predict(NETWORKS) == pytest.approx(fitted().predict(NETWORKS) * factor, rel=1e-6)
    found, expected = (one.prediction(NETWORKS).relative_std for one in (scaled, fitted()))
    assert found == pytest.approx(expected, rel=1e-6)


def test_the_order_of_the_measurements_does_not_matter():
    order = np.random.default_rng(0).permutation(12)
    other = TransferPredictor(Encoder.of(NETWORKS))
    other.fit([NETWORKS[i] for i in order], MS[order])
    assert other.predict(NETWORKS) == pytest.approx(fitted().predict(NETWORKS), rel=1e-6)


def test_what_was_measured_is_surer_than_what_was_not():
    std = fitted().prediction(NETWORKS).relative_std
    assert std[:12].mean() < std[12:].mean()


def test_predictions_of_near_empty_networks_are_positive():
    space = NASBench201(channels=4, cells=1)
    networks = [architecture.network for architecture in space.sample(40, seed=0)]
    ms = np.array([1e-4 + 1e-3 * len([layer for layer in n.layers if layer.op == "Conv"]) for n in networks])
    predictor = TransferPredictor()
    predictor.fit(networks[:20], ms[:20])
    assert (predictor.predict([a.network for a in space.sample(200, seed=1)]) > 0).all()


def test_saved_and_loaded_it_says_the_same(tmp_path):
    linear = LinearPredictor()
    linear.fit(NETWORKS[:40], ODD_MS[:40])
    saved = fitted(references=[linear])
    saved.save(tmp_path)
    loaded = predictor_class("transfer").load(tmp_path)
    assert loaded.predict(NETWORKS) == pytest.approx(saved.predict(NETWORKS), rel=1e-9)
    found, expected = (one.prediction(NETWORKS).relative_std for one in (loaded, saved))
    assert found == pytest.approx(expected, rel=1e-9)


def test_it_can_be_pickled_to_workers():
    sent = pickle.loads(pickle.dumps(fitted()))
    assert sent.predict(NETWORKS[:5]) == pytest.approx(fitted().predict(NETWORKS[:5]))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("weights", np.full(64, 1.0)),
        ("precisions", np.zeros(12)),
        ("targets", np.full(12, -1.0)),
        ("scale_and_floor_ms", np.array([0.0, 1.0])),
        ("measured_physical", np.zeros((12, 3))),
        ("kernel_variances", np.full((64, 5), np.nan)),
        ("block_scale", np.array([-1.0])),
        ("reference_ms", np.array([1.0])),
    ],
)
def test_altered_files_are_refused_by_field(tmp_path, field, value):
    from hwnas.latency.predictors.arrays import write_arrays

    write_arrays(tmp_path / "arrays.npz", {**fitted().arrays(), field: value})
    with pytest.raises(ValueError, match=field):
        TransferPredictor.load(tmp_path)


def test_an_unknown_kind_of_reference_is_refused(tmp_path):
    from hwnas.latency.predictors.arrays import write_arrays

    altered = {"reference_kinds": np.array(["magic"]), "reference_ms": np.array([1.0])}
    write_arrays(tmp_path / "arrays.npz", {**fitted().arrays(), **altered})
    with pytest.raises(ValueError, match="no predictor of kind 'magic'"):
        TransferPredictor.load(tmp_path)


def test_references_do_not_nest(tmp_path):
    from hwnas.latency.predictors.arrays import write_arrays

    with pytest.raises(ValueError, match="kind 'transfer' cannot be a reference"):
        Encoder.of(NETWORKS, [fitted()])
    inner = {f"reference0.{name}": value for name, value in fitted().arrays().items()}
    altered = {"reference_kinds": np.array(["transfer"]), "reference_ms": np.array([1.0]), **inner}
    write_arrays(tmp_path / "arrays.npz", {**fitted().arrays(), **altered})
    with pytest.raises(ValueError, match="field 'reference_kinds': a predictor of kind 'transfer'"):
        TransferPredictor.load(tmp_path)


def test_a_prediction_encodes_networks_once(monkeypatch):
    predictor, calls = fitted(), []
    encode = Encoder.__call__
    monkeypatch.setattr(Encoder, "__call__", lambda self, networks: calls.append(1) or encode(self, networks))
    latency_ms = predictor.prediction(NETWORKS).latency_ms
    assert calls == [1]
    assert (latency_ms == predictor.predict(NETWORKS)).all()


def test_too_few_measurements_say_how_many_are_needed():
    with pytest.raises(ValueError, match="at least 5 measured networks, not 4"):
        fitted(4)


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_impossible_latencies_are_refused(bad):
    with pytest.raises(ValueError, match="must be positive and finite"):
        TransferPredictor().fit(NETWORKS[:6], np.array([1, 1, bad, 1, 1, 1.0]))


def test_it_must_be_fitted_first():
    with pytest.raises(RuntimeError, match="call fit first"):
        TransferPredictor().predict(NETWORKS)
