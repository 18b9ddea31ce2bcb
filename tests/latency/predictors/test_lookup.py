import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwnas.latency.block_ids import block_ids, key_of
from hwnas.latency.predictors import LookupPredictor, MissingBlockError
from hwnas.network import Builder
from hwnas.spaces import NASBench201
from tests.latency.predictors.synthetic import SPACE, block_ms, network_ms

NETWORKS = [architecture.network for architecture in SPACE.sample(12, seed=1)]
BLOCKS = {block.key: 1.2 * block_ms(block) for network in NETWORKS for block in network.block_counts}
LATENCIES = np.array([network_ms(network) for network in NETWORKS])


def test_without_networks_it_is_the_plain_sum():
    predictor = LookupPredictor(BLOCKS)
    expected = [sum(n * BLOCKS[b.key] for b, n in network.block_counts.items()) for network in NETWORKS]
    np.testing.assert_allclose(predictor.predict(NETWORKS), expected, rtol=1e-12)
    predictor.fit([], np.zeros(0))
    np.testing.assert_allclose(predictor.predict(NETWORKS), expected, rtol=1e-12)


def test_the_line_recovers_overhead_and_scale():
    predictor = LookupPredictor(BLOCKS)
    predictor.fit(NETWORKS[:5], LATENCIES[:5])
    np.testing.assert_allclose(predictor.predict(NETWORKS), LATENCIES, rtol=1e-9)
    line = predictor.composition
    assert line.offset_ms == pytest.approx(0.3) and line.slope == pytest.approx(1 / 1.2)


def alone(op):
    b = Builder()
    return b.build(getattr(b, op)(b.input(2, 4, 4)))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0.01, 100), min_size=3, max_size=3), st.floats(1e-3, 1e3))
def test_additive_and_scale_equivariant(times, scale):
    parts = [alone(op) for op in ("relu", "sigmoid", "hard_swish")]
    block_times = dict(zip((part.key for part in parts), times, strict=True))
    c = Builder()
    both = c.build(c.hard_swish(c.relu(c.relu(c.input(2, 4, 4)))))
    one = LookupPredictor(block_times).predict([both])[0]
    assert one == pytest.approx(2 * times[0] + times[2])
    scaled = LookupPredictor({key: scale * time for key, time in block_times.items()})
    assert scaled.predict([both])[0] == pytest.approx(scale * one)


@settings(max_examples=20, deadline=None)
@given(st.floats(1e-3, 1e3))
def test_a_fitted_line_scales_with_the_device(scale):
    scaled = LookupPredictor({key: scale * time for key, time in BLOCKS.items()})
    scaled.fit(NETWORKS, scale * LATENCIES)
    np.testing.assert_allclose(scaled.predict(NETWORKS), scale * LATENCIES, rtol=1e-7)


def test_predictions_stay_positive_below_a_negative_offset():
    predictor = LookupPredictor({})
    predictor.fit_sums(np.array([2.0, 3.0]), np.array([1.0, 2.0]))
    np.testing.assert_allclose(predictor.predict_sums(np.array([0.5, 1.0, 2.0, 4.0])), [0.25, 0.5, 1, 3])


def test_equal_sums_give_a_scale_and_no_offset():
    predictor = LookupPredictor({})
    predictor.fit_sums(np.array([2.0, 2.0]), np.array([1.0, 1.0]))
    assert (predictor.composition.offset_ms, predictor.composition.slope) == (0, 0.5)


def test_latencies_that_fall_with_the_sum_are_refused():
    with pytest.raises(ValueError, match="do not grow"):
        LookupPredictor({}).fit_sums(np.array([1.0, 2.0]), np.array([2.0, 1.0]))


def test_missing_blocks_are_counted_and_described():
    network = NETWORKS[0]
    gone = next(iter(network.block_counts))
    predictor = LookupPredictor({key: time for key, time in BLOCKS.items() if key != gone.key})
    with pytest.raises(MissingBlockError, match=r"lacks 1 of \d+ distinct blocks: Conv-.*3×32×32 →"):
        predictor.predict([network])
    with pytest.raises(LookupError, match=r"and \d+ more"):
        LookupPredictor({}).predict([network])


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_a_latency_that_is_none_is_refused_by_name(bad):
    with pytest.raises(ValueError, match="block aa"):
        LookupPredictor({"aa": bad})
    with pytest.raises(ValueError, match="network 1"):
        LookupPredictor(BLOCKS).fit(NETWORKS[:2], np.array([1.0, bad]))


def test_one_network_is_too_few():
    with pytest.raises(ValueError, match="at least 2"):
        LookupPredictor(BLOCKS).fit(NETWORKS[:1], LATENCIES[:1])


def test_block_numbers_are_those_of_the_canonical_keys():
    for network in [a.network for a in NASBench201(cells=1).sample(30, seed=3)] + NETWORKS:
        numbers = np.frombuffer(block_ids(network), dtype="<i4")
        assert sorted(key_of(i) for i in numbers) == sorted(block.key for _, block in network.blocks())


def test_a_composition_that_is_none_is_refused():
    with pytest.raises(ValueError, match="composition must be affine or sum, not 'product'"):
        LookupPredictor({}).fit_sums(np.ones(3), np.ones(3), "product")
